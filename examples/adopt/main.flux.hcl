# Images that exist already, and manifests that change their shape: neither buys anything.

defaults {
  model         = "flux-2-pro"
  output_format = "png"
  width         = 256
  height        = 256
}

# An icon that was made before there was a manifest. The block says what it would be made from, should it ever be made anew.
image "icon" {
  prompt = "A sun over the sea, flat vector"
}

import {
  to   = image.icon
  file = "old/icon.png"
}

# This block was called "sun" once, and had no instances. moved says that they are the same images.
image "badge" {
  for_each = { day = "sun", night = "moon" }
  prompt   = "A badge with the ${each.value} from image 1"

  references = [image.icon]
}

moved {
  from = image.sun
  to   = image.badge["day"]
}

# An image that others look after now: forgotten, and its file stays.
removed {
  from = image.banner

  lifecycle {
    destroy = false
  }
}

output "badges" {
  value = { for key, badge in image.badge : key => badge.path }
}
