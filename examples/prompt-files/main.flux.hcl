# A folder with a picture and a prompt of the same name: shots/kettle.png and shots/kettle.txt. A pair more is an image more.
#
#   fluxbatch plan -simulate examples/prompt-files
#   fluxbatch plan -simulate -var 'light=in the light of a candle' examples/prompt-files

defaults {
  model         = "flux-2-klein-4b"
  output_format = "jpeg"
  width         = 512
  height        = 512
}

variable "light" {
  type    = string
  default = "in morning light"
}

# The names of the pairs, without their extension.
locals {
  shots = toset([for file in fileset(path.module, "shots/*.txt") : trimsuffix(basename(file), ".txt")])
}

# The text of a prompt is in its file, where people write it; what is the same for all stands here, and is put into each by ${light}.
image "shot" {
  for_each   = local.shots
  prompt     = trimspace(templatefile("${path.module}/shots/${each.key}.txt", { light = var.light }))
  references = ["shots/${each.key}.png"]
  seed       = 5
}

output "shots" {
  value = [for name, shot in image.shot : shot.path]
}
