// Package bfl is all that the program knows of the Black Forest Labs FLUX API: the catalogue of its
// models, what a request may say and what it costs, and a client.
//
// Words, as the API uses them:
//
//   - A model is an endpoint that takes a request and makes one image. Its arguments are the fields of the request's
//     JSON body; those that carry images are its inputs, the rest parameters.
//   - A task is one accepted request. It has an id and a polling URL, is active until it reaches a final status, and
//     holds one of the account's slots as long.
//   - A sample is the finished image's URL. It is signed and dies after some minutes.
//   - A credit is what the API charges in, one US cent.
//
// The catalogue serves configuration checks, cost estimates, requests and the simulator's checks
// alike. What is known of a model therefore stands in models.go and nowhere else.
package bfl
