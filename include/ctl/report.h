#pragma once

#include "ctl/json.h"
#include "directory/change.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ctl {

/// rpctunnelctl(8), EXIT STATUS.
enum class Exit {
    done = 0,
    usage = 1,    ///< the command line or the input is wrong
    state = 2,    ///< what is named is not there, is there already, or is in use
    database = 3, ///< the database cannot be opened, read or written
    denied = 4    ///< explain: the daemon would refuse
};

/// Speaks to the person or, with --json, to the program that runs the command.
class Report {
public:
    explicit Report(bool json) : json_(json) {}

    void set_json() noexcept { json_ = true; }
    bool json() const noexcept { return json_; }
    /// Errors are introduced by it: "server add".
    void set_command(std::string command) { command_ = std::move(command); }

    /// "server EX1 is added" or {"done":true,"message":"..."}.
    Exit done(std::string_view sentence) const;
    /// One sentence on standard error, or {"error":"...","exit":2} on standard output.
    Exit failed(Exit exit, std::string_view sentence) const;
    /// done(), or the reason why not.
    Exit change(const directory::Change& change, std::string_view sentence) const;
    /// A line of text, or a JSON document.
    void line(std::string_view text) const;

private:
    bool json_;
    std::string command_;
};

/// A table: aligned columns for people, an array of objects for programs.
class Listing {
public:
    struct Column {
        const char* key;   ///< of the JSON object
        const char* title; ///< of the column
    };
    using Cell = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

    explicit Listing(std::vector<Column> columns) : columns_(std::move(columns)) {}

    /// One cell a column.
    void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
    Exit print(const Report& report) const;

private:
    std::vector<Column> columns_;
    std::vector<std::vector<Cell>> rows_;
};

} // namespace ctl
