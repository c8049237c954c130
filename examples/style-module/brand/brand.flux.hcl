# A brand's images. Who uses the module says which brand, and how it differs from the usual.

variable "brand" {
  type = object({
    name    = string
    colours = list(string)
    mood    = optional(string, "calm")
  })
  description = "The brand's name, its two colours, and its mood."
}

locals {
  style = "flat vector, ${var.brand.mood} shapes, ${join(" and ", var.brand.colours)}"
}

defaults {
  model         = "flux-2-pro"
  output_format = "png"
  seed          = 3
}

image "logo" {
  prompt = "Logo of ${var.brand.name}, ${local.style}"
  width  = 512
  height = 512
}

image "banner" {
  prompt     = "Wide banner of ${var.brand.name} with the logo from image 1, ${local.style}"
  references = [image.logo]
  width      = 1280
  height     = 512
}

output "logo" {
  value = image.logo.path
}
