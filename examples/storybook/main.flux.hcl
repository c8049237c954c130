# A story from one list whose pictures are made from each other: a style, characters in it, scenes with them, variants of these. The order of the list does not
# matter; what is made first follows from what is named.
#
#   fluxbatch graph -instances examples/storybook
#   fluxbatch plan -simulate -target 'image.picture["cover"]' examples/storybook

defaults {
  model         = "flux-2-klein-9b"
  output_format = "png"
}

locals {
  pictures = { for picture in yamldecode(file("${path.module}/story.yml")) : picture.name => picture }
}

image "picture" {
  for_each   = local.pictures
  prompt     = each.value.prompt
  references = [for name in try(each.value.from, []) : image.picture[name]]
  width      = try(each.value.size.width, 512)
  height     = try(each.value.size.height, 512)
  seed       = try(each.value.seed, 7)
}

output "pictures" {
  value = { for name, picture in image.picture : name => picture.path }
}
