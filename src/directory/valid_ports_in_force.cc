#include "directory/valid_ports_in_force.h"

#include "base/log.h"

#include <exception>
#include <utility>
#include <vector>

namespace directory {
namespace {

void log_change(Origin origin, const ValidPorts& before, const ValidPorts& after)
{
    const std::string old_text = before.text(origin);
    const std::string new_text = after.text(origin);
    if (old_text != new_text)
        base::log::notice("valid-ports", {{"list", name(origin)}, {"old", old_text}, {"new", new_text}});
}

} // namespace

ValidPortsInForce::ValidPortsInForce(Connections& readers) : readers_(readers), list_(read()) {}

std::shared_ptr<const ValidPorts> ValidPortsInForce::get() const noexcept
{
    const std::lock_guard lock(list_mutex_);
    return list_;
}

std::shared_ptr<const ValidPorts> ValidPortsInForce::read()
{
    const Connections::Lease database = readers_.take();
    std::vector<PortEntry> entries;
    for (StoredPortEntry& stored : PortStore(*database).list())
        entries.push_back(std::move(stored.entry));
    return std::make_shared<const ValidPorts>(std::move(entries));
}

std::string ValidPortsInForce::refresh() noexcept
{
    const std::lock_guard turn(refresh_mutex_);
    try {
        const std::shared_ptr<const ValidPorts> before = get();
        const std::shared_ptr<const ValidPorts> after = read();
        {
            const std::lock_guard lock(list_mutex_);
            list_ = after;
        }
        ++generation_;
        log_change(Origin::generated, *before, *after);
        log_change(Origin::administrator, *before, *after);
        return {};
    } catch (const std::exception& error) {
        return error.what();
    }
}

Rebuild ValidPortsInForce::rebuild() noexcept
{
    Rebuild result;
    try {
        result = rebuild_generated(*readers_.take_generating(), false);
    } catch (const std::exception& error) {
        result.error = error.what();
    }
    if (result.kind != Rebuild::Kind::changed)
        return result;
    if (const std::string failure = refresh(); !failure.empty())
        result = {Rebuild::Kind::failed, result.old_text, result.new_text, "the new list could not be read back: " + failure};
    return result;
}

} // namespace directory
