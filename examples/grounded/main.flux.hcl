# FLUX 3 Image looks things up before it draws, and makes its images in resolutions rather than in pixels. It has no seed: an image can never be made a
# second time, which is why the store keeps every one that is replaced.

defaults {
  model      = "flux-3-image"
  resolution = "1k"
}

image "poster" {
  prompt       = "A poster of the lighthouse of Warnemünde, as it is"
  aspect_ratio = "3:4"
}

image "postcard" {
  prompt       = "The poster from image 1 on the wall of a harbour café"
  references   = [image.poster]
  aspect_ratio = "3:2"
  grounding    = false
}
