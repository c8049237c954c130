# One style, two brands: what they share is in the module ./brand, what differs is its input.

module "brand" {
  source   = "./brand"
  for_each = local.brands

  brand = each.value
}

locals {
  brands = {
    heron = { name = "Heron & Reed", colours = ["#0b3d91", "#fc6d4f"] }
    otter = { name = "Otter Ferries", colours = ["#0f766e", "#facc15"], mood = "playful" }
  }
}

output "logos" {
  value = { for key, brand in module.brand : key => brand.logo }
}
