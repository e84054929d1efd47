#include "bench/backend.h"

#include "rpch/rts_table.h"

#include <string_view>
#include <utility>

namespace bench {
namespace {

constexpr std::string_view banner = "ncacn_http/1.0";

} // namespace

Backend::Backend(const Common& common)
    : common_(common), paired_(common.plan.relay == Relay::pair || (common.plan.relay == Relay::rpch && common.plan.hop == Hop::http)),
      listener_(common.loop, common.plan.listen, net::Listener::Callback::of<&Backend::on_accepted>(this))
{
}

Backend::~Backend() = default;

void Backend::on_accepted(base::UniqueFd&& socket, const net::Address&)
{
    connections_.emplace_front(common_.loop, common_.pattern, static_cast<Connection::Host&>(*this));
    Connection& connection = connections_.front();
    connection.self = connections_.begin();
    std::shared_ptr<Session> session;
    base::Bytes greeting;
    if (!paired_) {
        session = *sessions_.insert(std::make_shared<Session>(common_, rpch::Cookie{}, nullptr)).first;
        session->attach(connection);
    } else if (common_.plan.relay == Relay::rpch) {
        greeting = {reinterpret_cast<const std::uint8_t*>(banner.data()), banner.size()};
    }
    connection.start(std::move(socket), greeting, session);
}

std::unique_ptr<ServerEnd> Backend::make_end() const
{
    if (common_.plan.relay == Relay::rpch)
        return std::make_unique<RpchServerEnd>(common_.plan.pdu);
    return std::make_unique<PairServerEnd>();
}

/// The virtual connection that a first PDU belongs to is named by its second command, in all of them.
void Backend::connection_begins(Connection& connection, const rpch::Rts& pdu)
{
    if (pdu.count < 2 || pdu.commands()[1].type != rpch::CommandType::cookie)
        give_up("backend: a connection begins with " + rpch::describe(pdu));
    const rpch::Cookie cookie = pdu.commands()[1].cookie;
    std::shared_ptr<Session>& found = virtual_connections_[cookie];
    if (!found) {
        found = std::make_shared<Session>(common_, cookie, make_end());
        sessions_.insert(found);
    }
    const std::shared_ptr<Session> session = found;
    if (const char* const refusal = session->admit(connection, pdu)) {
        connection.close(refusal);
        if (session->over())
            forget(session);
    }
}

void Backend::connection_gone(Connection& connection, const std::string& reason)
{
    const std::shared_ptr<Session> session = connection.session();
    if (session && !connection.dropped()) {
        const bool lasting = !paired_ || common_.plan.relay == Relay::pair;
        const char* const end = session->on_gone(connection);
        if (!closing_ && (end || lasting))
            give_up("a connection of the backend: " + reason + (end ? std::string("; ") + end : ""));
        if (end)
            session->close(end);
        if (session->over() && forget(session))
            common_.host.session_ended();
    }
    common_.loop.defer([this, self = connection.self] { connections_.erase(self); });
}

bool Backend::forget(const std::shared_ptr<Session>& session)
{
    if (paired_)
        virtual_connections_.erase(session->virtual_connection());
    return sessions_.erase(session) == 1;
}

} // namespace bench
