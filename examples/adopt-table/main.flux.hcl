# Pictures that exist already, taken over from a table that says which file each of them is. Only what has no file is made.
#
#   fluxbatch plan -simulate examples/adopt-table

defaults {
  model         = "flux-2-klein-4b"
  output_format = "png"
  width         = 64
  height        = 64
}

locals {
  pictures = { for row in csvdecode(file("${path.module}/pictures.csv")) : row.id => row }
}

image "picture" {
  for_each = local.pictures
  prompt   = "Flat icon of ${each.value.subject}"
  seed     = 9
}

# Which images there are comes from the table, not from the files: once they are adopted, the old files can go, and so can this block.
import {
  for_each = { for id, row in local.pictures : id => row.old if row.old != "" }
  to       = image.picture[each.key]
  file     = each.value
}

output "pictures" {
  value = [for id, picture in image.picture : picture.path]
}
