# Images that belong together. Change what you like, and plan again: only what changed is made.

fluxbatch {
  required_version = ">= 0.1.0"
}

# What one apply may spend, in US dollars.
budget {
  max_cost = 1.00
}

# What every image has that does not say otherwise.
defaults {
  model         = "flux-2-pro"
  output_format = "png"
  width         = 1024
  height        = 1024
  seed          = 7
}

variable "subject" {
  type        = string
  default     = "a heron among reeds"
  description = "What the logo shows."
}

locals {
  style = "flat vector, calm shapes, deep blue and coral"

  seasons = {
    summer = "a bright lake at noon"
    winter = "frost on still water"
  }
}

image "logo" {
  prompt = "Logo: ${var.subject}, ${local.style}"
}

# One image for each season, made from the logo: "image 1" of the prompt is the first reference.
image "card" {
  for_each   = local.seasons
  prompt     = "Season card with the logo from image 1: ${each.value}, ${local.style}"
  references = [image.logo]
}

output "logo" {
  value = image.logo.path
}

output "cards" {
  value = { for season, card in image.card : season => card.path }
}
