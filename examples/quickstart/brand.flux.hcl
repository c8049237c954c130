# A small brand kit: a logo, a picture made from it, and a card for each season.
#
#   fluxbatch plan -simulate examples/quickstart     what would be made, and at what price
#   fluxbatch apply -simulate examples/quickstart    make it

fluxbatch {
  required_version = ">= 0.1.0"
}

# What every image has that does not say otherwise.
defaults {
  model         = "flux-2-pro"
  output_format = "png"
  seed          = 7
}

variable "brand" {
  type        = string
  default     = "Heron & Reed"
  description = "The name on everything."
}

locals {
  style = "flat vector, calm shapes, deep blue #0b3d91 and coral #fc6d4f"

  seasons = {
    spring = "fresh green reeds after rain"
    summer = "a bright lake at noon"
    winter = "frost on still water"
  }
}

image "logo" {
  prompt = "Logo of ${var.brand}: a heron among reeds, ${local.style}"
  width  = 512
  height = 512
}

# Made from another image and a file: "image 1" of the prompt is the first reference.
image "hero" {
  model      = "flux-2-max"
  prompt     = "The logo from image 1 printed on the bottle from image 2, soft morning light, ${local.style}"
  references = [image.logo, "refs/bottle.png"]
  width      = 1280
  height     = 720
}

# One image for each season: image.card["spring"] and so on.
image "card" {
  for_each   = local.seasons
  prompt     = "Season card of ${var.brand}: ${each.value}, ${local.style}"
  references = [image.logo]
  width      = 768
  height     = 512
  labels     = { season = each.key }
}

output "hero" {
  value = image.hero.path
}

output "cards" {
  value = { for season, card in image.card : season => card.path }
}
