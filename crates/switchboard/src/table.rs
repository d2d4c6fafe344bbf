//! Tables that people can read.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

/// An empty table with these headings; as wide as the terminal.
pub(crate) fn with_header<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}
