# Pictures that judges look at before they are taken: programs, or conditions that need none. What
# none of them passes is bought again, as often as `retries` says, and never more.

defaults {
  model         = "flux-2-pro"
  width         = 512
  height        = 512
  output_format = "png"
}

locals {
  products = {
    mug  = "A blue enamel mug on a wooden table"
    lamp = "A brass reading lamp beside a stack of books"
  }
}

image "product" {
  for_each   = local.products
  prompt     = each.value
  seed       = 3
  candidates = 2

  gate "looks" {
    not_blank    = true
    min_contrast = 0.02
    retries      = 2
  }

  # No two products may look alike.
  gate "unlike" {
    max_similarity = 0.98
  }
}
