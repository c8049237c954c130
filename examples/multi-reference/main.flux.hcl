# Several references in one request. "image 1" of a prompt is the first in the list.

defaults {
  model         = "flux-2-pro"
  output_format = "png"
  seed          = 5
}

image "character" {
  for_each = { fox = "a fox in a raincoat", owl = "an owl with a lantern" }
  prompt   = "Character sheet: ${each.value}, flat vector"
  width    = 512
  height   = 512
}

# A file, a URL that the API fetches itself, and all instances of another image.
image "scene" {
  model      = "flux-2-max"
  prompt     = "The characters from image 3 and image 4 in a tent made of the fabric from image 1, in the light of image 2"
  references = concat(["refs/fabric.png", "https://images.example.com/light.jpg"], values(image.character))
  width      = 1280
  height     = 720
}

# A prompt can be an object: it is sent as JSON, which FLUX.2 understands as structured prompting.
image "cover" {
  prompt = {
    scene    = "a forest clearing at night"
    subjects = [for name, character in image.character : { name = name, position = "centre" }]
    style    = "flat vector"
    color    = ["#0b3d91", "#fc6d4f"]
  }
  references = values(image.character)
  width      = 768
  height     = 1024
}

output "pictures" {
  value = concat(values(image.character)[*].path, [image.scene.path, image.cover.path])
}
