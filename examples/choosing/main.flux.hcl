# Four pictures to choose from, and what is made from the one that is picked. `fluxbatch pick image.hero 3`
# chooses another one for nothing.

defaults {
  model         = "flux-2-pro"
  width         = 512
  height        = 512
  output_format = "png"
}

image "hero" {
  prompt     = "A heron over the harbour at dawn"
  seed       = 7
  candidates = 4
}

image "card" {
  prompt     = "The picture from image 1 as a postcard with a white border"
  seed       = 1
  references = [image.hero]
}

# What nobody has looked at is not printed: image.poster waits until somebody has picked.
image "cover" {
  prompt     = "A lighthouse, wide, with room for a title"
  candidates = 2

  lifecycle {
    require_pick = true
  }
}

image "poster" {
  prompt     = "The cover from image 1 as a poster"
  references = [image.cover]
}

output "hero" {
  description = "What there is to choose from"
  value       = [for c in image.hero.candidates : "${c.path} (seed ${c.seed})"]
}
