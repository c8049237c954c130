// Package planner decides what an apply is to do: it holds the images that are desired against
// those that exist.
//
// Words:
//
//   - A desired image comes from the configuration, a prior image from the state. They meet by address.
//   - A change is what is planned for one address: an Action, the reasons for it, and what it costs.
//   - A fingerprint identifies a request (see bfl.Request.Fingerprint). An image is made anew exactly when the fingerprint of
//     its desired request is not the one on record, or is not known yet.
//   - A brief plan has no change of an image that stays as it is and of which there is nothing else to
//     tell: it lists the record.
//   - An image is upstream of those that are made from it, and they are downstream.
//
// Planning is a function of its inputs: it reads no clock and no file, and the same inputs give the
// same plan, byte by byte.
package planner
