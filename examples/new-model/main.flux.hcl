# An endpoint that is newer than this program's catalogue.

model "flux-3-image" {
  endpoint         = "/v1/flux-3-image"
  reference_fields = ["images"]

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
