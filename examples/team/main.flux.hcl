# Two machines, one state, one store of images, one account: try.sh runs them side by side.

variable "endpoint" {
  type        = string
  default     = "http://127.0.0.1:8787"
  description = "The simulator, in the place of the API"
}

variable "store" {
  type        = string
  default     = "http://127.0.0.1:9000"
  description = "An S3-compatible object store with a bucket art"
}

variable "broker" {
  type        = string
  default     = "nats://127.0.0.1:4222"
  description = "A broker of NATS JetStream"
}

fluxbatch {
  state "s3" {
    bucket         = "art"
    key            = "shop/state"
    endpoint       = var.store
    use_path_style = true
  }

  images "s3" {
    bucket         = "art"
    prefix         = "blobs"
    endpoint       = var.store
    use_path_style = true
  }
}

provider "bfl" {
  endpoint = var.endpoint

  slots "nats" {
    url     = var.broker
    account = "studio"
  }
}

budget {
  per_day = 20
}

defaults {
  model  = "flux-2-klein-4b"
  width  = 256
  height = 256
}

image "hero" {
  prompt     = "A lighthouse on a cliff at dawn"
  candidates = 3
}

image "poster" {
  prompt     = "The lighthouse of image 1 on a travel poster"
  references = [image.hero]
}

image "postcard" {
  for_each = toset(["spring", "summer", "autumn", "winter"])
  prompt   = "The cliff in ${each.key}"
}
