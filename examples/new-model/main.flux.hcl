# An endpoint that is newer than this program's catalogue. Its references go into one field, which is a list.

model "flux-next" {
  endpoint       = "/v1/flux-next"
  reference_list = "images"
  max_references = 10

  strict  = true
  fields  = ["prompt", "aspect_ratio", "resolution", "style"]
  seed    = false
  webhook = false

  limits {
    min_side   = 256
    max_pixels = 16777216
  }

  # By the value of an argument, in credits.
  price {
    by    = "resolution"
    tiers = { "1k" = 4.8, "2k" = 10 }
  }
}

# Arguments that the language does not have go through parameters, and all are sent as they are.
image "poster" {
  model        = "flux-next"
  prompt       = "A poster of a lighthouse"
  aspect_ratio = "3:4"
  resolution   = "2k"

  parameters = {
    style = "lithograph"
  }
}

image "postcard" {
  model        = "flux-next"
  prompt       = "The poster from image 1 on the wall of a harbour café"
  references   = [image.poster]
  aspect_ratio = "3:2"
  resolution   = "1k"
}
