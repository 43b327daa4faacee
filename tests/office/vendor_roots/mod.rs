//! Several roots, held by different people in separate folders, who exchange files to sign.

#![cfg(all(feature = "cli", feature = "vendor"))]

mod again;
mod delegated_again;
mod dual;
mod emergency;
mod limits;
mod office;
mod rotate;
mod story;
