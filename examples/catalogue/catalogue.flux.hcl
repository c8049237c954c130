# A shop's products from a table: a row more is an image more, and no other image changes.
#
#   fluxbatch plan -simulate examples/catalogue
#   fluxbatch plan -simulate -target label.material=porcelain examples/catalogue

defaults {
  model         = "flux-2-klein-9b"
  output_format = "jpeg"
  width         = 768
  height        = 768
}

# One apply spends at most this much, whatever happens to the table.
budget {
  max_cost = 2.00
}

variable "season" {
  type    = string
  default = "summer"

  validation {
    condition     = contains(["summer", "winter"], var.season)
    error_message = "Season must be summer or winter."
  }
}

locals {
  products = { for row in csvdecode(file("${path.module}/products.csv")) : row.sku => row }
  light    = { summer = "bright daylight", winter = "warm lamplight" }
}

# Keys come from the table's own numbers rather than from the order of its rows, so that sorting the table changes nothing.
image "product" {
  for_each = local.products
  prompt   = "Studio photo of a ${each.value.colour} ${lower(each.value.name)} of ${each.value.material}, ${local.light[var.season]}, plain backdrop"
  seed     = 11
  labels   = { material = each.value.material }
}

output "pictures" {
  value = [for sku, product in image.product : product.path]
}
