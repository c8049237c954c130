# A judge written in Python reads what a picture says, and pictures that look alike are refused. Each
# throw that no judge passes is followed by another one, as often as `retries` says.

defaults {
  model         = "flux-2-pro"
  width         = 512
  height        = 512
  output_format = "png"
}

image "poster" {
  prompt = "SUMMER SALE beside a lighthouse"
  seed   = 7

  gate "lettering" {
    command = ["python3", "./judges/reads.py", "SUMMER", "SALE"]
    retries = 2
  }
}

# The third throw is the first whose caption says 9.
image "ticket" {
  prompt = "ADMIT ONE, a ticket with a heron"
  seed   = 7

  gate "number" {
    command = ["python3", "./judges/reads.py", "ADMIT", "9"]
    retries = 3
  }
}

# Both ask for the same, and get the same picture. The second is refused for that, and gets another throw.
image "pattern" {
  for_each = toset(["wall", "floor"])
  prompt   = "A pattern of leaves"
  seed     = 1

  gate "unlike" {
    max_similarity = 0.95
    retries        = 2
  }
}
