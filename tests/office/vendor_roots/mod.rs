//! Several roots, each a person with a folder of his own; what they sign goes from one to the next
//! as a file.

#![cfg(all(feature = "cli", feature = "vendor"))]

mod again;
mod dual;
mod emergency;
mod limits;
mod office;
mod rotate;
mod story;
