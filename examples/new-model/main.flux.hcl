# An endpoint that is newer than this program's catalogue. Its references go into one field, which is a list.

model "flux-3-image" {
  endpoint       = "/v1/flux-3-image"
  reference_list = "images"
  max_references = 10

  price {
    image = 4.8
  }
}

# Arguments that the language does not have go through parameters, and all are sent as they are. The model has no seed: its images can never be made
# a second time, which is why the store keeps every one that is replaced.
image "poster" {
  model        = "flux-3-image"
  prompt       = "A poster of a lighthouse"
  aspect_ratio = "3:4"

  parameters = {
    resolution = "1k"
    grounding  = false
  }
}

image "postcard" {
  model        = "flux-3-image"
  prompt       = "The poster from image 1 on the wall of a harbour café"
  references   = [image.poster]
  aspect_ratio = "3:2"

  parameters = {
    resolution = "1k"
    grounding  = false
  }
}
