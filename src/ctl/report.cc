#include "ctl/report.h"

#include <algorithm>
#include <cstdio>

namespace ctl {
namespace {

/// Escapes what could play tricks with a terminal: everything that is not printable ASCII or UTF-8.
std::string printable(std::string_view text)
{
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte != 0x7f) {
            result += c;
            continue;
        }
        char escaped[5];
        std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
        result += escaped;
    }
    return result;
}

std::string cell_text(const Listing::Cell& cell)
{
    if (const auto* text = std::get_if<std::string>(&cell))
        return text->empty() ? "-" : printable(*text);
    if (const auto* number = std::get_if<std::int64_t>(&cell))
        return std::to_string(*number);
    if (const auto* truth = std::get_if<bool>(&cell))
        return *truth ? "yes" : "no";
    std::string joined;
    for (const std::string& text : std::get<std::vector<std::string>>(cell))
        joined += (joined.empty() ? "" : ", ") + printable(text);
    return joined.empty() ? "-" : joined;
}

/// Columns on a terminal, not bytes: continuation bytes of UTF-8 do not count.
std::size_t width(std::string_view text)
{
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

} // namespace

void Report::line(std::string_view text) const
{
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
}

Exit Report::done(std::string_view sentence) const
{
    if (json_)
        line(Json().begin_object().key("done").value(true).key("message").value(sentence).end_object().text());
    else
        line(printable(sentence));
    return Exit::done;
}

Exit Report::failed(Exit exit, std::string_view sentence) const
{
    const int code = static_cast<int>(exit);
    if (json_) {
        Json json;
        json.begin_object().key("error").value(sentence).key("exit").value(std::int64_t{code}).end_object();
        line(json.text());
        return exit;
    }
    const std::string where = command_.empty() ? "rpctunnelctl: " : "rpctunnelctl: " + command_ + ": ";
    std::fputs((where + printable(sentence) + '\n').c_str(), stderr);
    return exit;
}

Exit Report::change(const directory::Change& change, std::string_view sentence) const
{
    return change.ok() ? done(sentence) : failed(Exit::state, change.reason);
}

Exit Listing::print(const Report& report) const
{
    if (report.json()) {
        Json json;
        json.begin_array();
        for (const std::vector<Cell>& row : rows_) {
            json.begin_object();
            for (std::size_t i = 0; i < row.size(); ++i) {
                json.key(columns_[i].key);
                std::visit([&](const auto& value) { json.value(value); }, row[i]);
            }
            json.end_object();
        }
        report.line(json.end_array().text());
        return Exit::done;
    }

    std::vector<std::vector<std::string>> lines;
    lines.emplace_back();
    for (const Column& column : columns_)
        lines.back().emplace_back(column.title);
    for (const std::vector<Cell>& row : rows_) {
        lines.emplace_back();
        for (const Cell& cell : row)
            lines.back().push_back(cell_text(cell));
    }
    std::vector<std::size_t> widths(columns_.size());
    for (const auto& cells : lines)
        for (std::size_t i = 0; i < cells.size(); ++i)
            widths[i] = std::max(widths[i], width(cells[i]));
    for (const auto& cells : lines) {
        std::string text;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            text += cells[i];
            if (i + 1 < cells.size())
                text.append(widths[i] - width(cells[i]) + 2, ' ');
        }
        report.line(text);
    }
    return Exit::done;
}

} // namespace ctl
