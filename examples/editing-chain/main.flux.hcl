# From an idea to a poster in four steps, each made from the one before: generate, edit, repaint a part, widen.

defaults {
  output_format = "png"
  seed          = 21
}

image "sketch" {
  model  = "flux-2-pro"
  prompt = "A lighthouse on a rock, flat vector, evening"
  width  = 512
  height = 512

  lifecycle {
    # The client has signed this one off. It stays as it is even if the prompt above is changed by mistake; the plan then says so.
    frozen = true
  }
}

image "night" {
  model      = "flux-2-pro"
  prompt     = "Turn evening into night, with stars"
  references = [image.sketch]
  width      = 512
  height     = 512

  lifecycle {
    # Wording is polished often, and not worth a new image each time. Remove this to let it count.
    ignore_changes = [prompt]
  }
}

image "moon" {
  model      = "flux-fill"
  prompt     = "a large moon"
  references = [image.night]
  # White is repainted, black is kept. A mask has the size of its image.
  mask = "refs/mask.png"
}

image "poster" {
  model      = "flux-pro-1.0-expand"
  prompt     = "night sky and sea"
  references = [image.moon]
  left       = 256
  right      = 256

  lifecycle {
    # It is in print: a plan that would replace it is an error.
    prevent_destroy = true
  }
}

output "poster" {
  value = image.poster.path
}
