# A picture that somebody retouched, and what is made from it. `try.sh` does what a person would.

defaults {
  model         = "flux-2-pro"
  width         = 512
  height        = 512
  output_format = "png"
}

image "portrait" {
  prompt = "A keeper in front of a lighthouse"
  seed   = 4
}

image "card" {
  prompt     = "The picture from image 1 as a postcard"
  seed       = 1
  references = [image.portrait]
}
