variable "users" {
  type = map(object({ is_admin = bool }))
  default = {
    alice = { is_admin = true }
    bob   = { is_admin = false }
  }
}

variable "bucket" {
  type = object({
    name    = string
    enabled = optional(bool, true)
    website = optional(object({
      index_document = optional(string, "index.html")
      error_document = optional(string, "error.html")
      routing_rules  = optional(string)
    }), {})
  })
  default = { name = "terraform" }
}

variable "list" {
  type    = list(string)
  default = ["a", "b", "c"]
}

variable "map" {
  type    = map(string)
  default = { a = "1", b = "2" }
}

variable "objects" {
  default = [
    { id = "i-1", tags = ["x", "y"] },
    { id = "i-2", tags = [] },
  ]
}

variable "password" {
  default   = "hunter2"
  sensitive = true
}

variable "nothing" {
  type    = string
  default = null
}

locals {
  foo = {
    bar = "baz"
  }
}
