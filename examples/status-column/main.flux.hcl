# A table in which people keep what is to become of each picture: "idea", "draft" or "done".
#
#   fluxbatch plan -simulate -target label.status=draft examples/status-column

defaults {
  model         = "flux-2-klein-9b"
  output_format = "jpeg"
  width         = 512
  height        = 512
}

locals {
  rows = csvdecode(file("${path.module}/pictures.csv"))
}

# All rows but ideas are images, whatever their status is. A filter such as `if row.status == "draft"` would be a trap: a row that is set to "done" would leave
# the configuration, and its picture be destroyed. The status is a label, which costs nothing to change, and a picture that is done is frozen.
image "picture" {
  for_each = { for row in local.rows : row.id => row if row.status != "idea" }
  prompt   = "Watercolour of ${each.value.subject}"
  seed     = 21
  labels   = { status = each.value.status }

  lifecycle {
    frozen = each.value.status == "done"
  }
}

output "done" {
  value = [for id, picture in image.picture : picture.path if picture.labels.status == "done"]
}
