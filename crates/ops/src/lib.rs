//! What an operator needs beside the program itself: the doctor, who finds out what is wrong on a machine and says how
//! it is mended, his survey of an installation of the old scripts, and backups.

pub mod backup;
pub mod doctor;
pub mod legacy;
pub mod machine;
pub mod unit;
