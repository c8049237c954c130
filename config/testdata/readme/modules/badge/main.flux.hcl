variable "metal" { type = string }
variable "logo" { type = any }

image "badge" {
  model      = "flux-2-pro"
  prompt     = "A ${var.metal} badge with the logo from image 1"
  references = [var.logo]
}

output "badge" { value = image.badge }
