# The pictures of a web shop: each product is bought once, and all sizes of it are made here, for nothing.
#
#   fluxbatch plan -simulate examples/shop
#   fluxbatch apply -simulate examples/shop
#
# Edit the look of one product in products.csv and plan again: its picture is bought anew, its sizes and the sprites follow, and
# nothing else changes.

defaults {
  model         = "flux-2-klein-9b"
  output_format = "jpeg"
}

budget {
  max_cost = 1.00
}

locals {
  products = { for row in csvdecode(file("${path.module}/products.csv")) : row.sku => row }
}

image "product" {
  for_each = local.products
  prompt   = "Studio photo of ${each.value.look}, soft light, plain backdrop"
  width    = 1024
  height   = 1024
  seed     = 11
  output   = "products/${each.key}.jpg"

  # The listing, in two densities, and the picture of the product's own page.
  rendition "thumb" {
    width  = 160
    height = 160
  }

  rendition "card" {
    width  = 480
    height = 360
    focus  = "center"
  }

  rendition "page" {
    width   = 960
    quality = 85
  }
}

# The card that networks show for a link to the shop, made from two products as the listing shows them: a rendition can be a
# reference too. 1200 x 630 is a size that the API does not have: the rendition cuts it.
image "social" {
  prompt     = "The mug of image 1 beside the teapot of image 2 on a table by a window, wide"
  references = [image.product["mug"].rendition.card, image.product["teapot"].rendition.card]
  width      = 1216
  height     = 640
  seed       = 5
  output     = "social.jpg"

  rendition "og" {
    width   = 1200
    height  = 630
    format  = "jpeg"
    quality = 85
  }
}

# All thumbnails in one file, for the search box.
sheet "sprites" {
  images  = [for product in image.product : product.rendition.thumb]
  columns = 5
  cell    = { width = 80, height = 80 }
  output  = "sprites.webp"
  atlas   = "sprites.json"
}

output "srcset" {
  value = {
    for sku, product in image.product : sku =>
    "${product.rendition.card.path} ${product.rendition.card.width}w, ${product.rendition.page.path} ${product.rendition.page.width}w"
  }
}
