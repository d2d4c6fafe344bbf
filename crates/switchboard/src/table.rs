//! Tables that people can read.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use serde_json::Value;

/// How wide the terminal is, if the output goes to one that says so.
pub(crate) fn terminal_width() -> Option<u16> {
    Table::new().width().filter(|width| *width > 0)
}

/// An empty table with these headings; as wide as the terminal.
pub(crate) fn with_header<'a>(header: impl IntoIterator<Item = &'a str>) -> Table {
    let header: Vec<&str> = header.into_iter().collect();
    let mut table = Table::new();
    // Without a known width no cell is wrapped.
    let arrangement = match terminal_width() {
        Some(_) => ContentArrangement::Dynamic,
        None => ContentArrangement::Disabled,
    };
    table.load_style(NOTHING).set_content_arrangement(arrangement).set_header(header);
    table
}

/// The most characters of a cell: one long text would make every row as wide.
const LONGEST: usize = 200;

/// What a field holds, as a cell shows it: nothing for what is not there, lists with commas. Of a long text the beginning is shown.
pub(crate) fn cell(value: &Value, field: &str) -> String {
    let whole = whole_cell(value, field);
    match whole.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", whole.get(..end).unwrap_or_default()),
        None => whole,
    }
}

fn whole_cell(value: &Value, field: &str) -> String {
    match &value[field] {
        Value::Null | Value::Object(_) => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let shown =
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            shown.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// A table of objects: one column for each field, under its heading.
pub(crate) fn of<const N: usize>(items: &[Value], columns: [(&str, &str); N]) -> Table {
    let mut table = with_header(columns.map(|(heading, _)| heading));
    for item in items {
        table.add_row(columns.map(|(_, field)| cell(item, field)));
    }
    table
}

/// A table of one object: a row for each field that is no list and no object.
pub(crate) fn fields(item: &Value) -> Table {
    let mut table = with_header(["", ""]);
    for (field, value) in item.as_object().into_iter().flatten() {
        if !matches!(value, Value::Null | Value::Array(_) | Value::Object(_)) {
            table.add_row([field.replace('_', " "), cell(item, field)]);
        }
    }
    table
}
