#pragma once

#include "rpch/effects.h"
#include "rpch/rts_builder.h"
#include "rpch/rts_table.h"

#include <initializer_list>
#include <string>
#include <string_view>

/// Builds and recognises PDUs for the tests of the roles. Cookies are named by one byte.
namespace role_test {

inline rpch::Cookie cookie(std::uint8_t name)
{
    rpch::Cookie c;
    c.bytes.fill(name);
    return c;
}

inline constexpr std::uint8_t vc = 0x10, in = 0x20, out = 0x40, group = 0x60;

inline rpch::Rts parse(const rpch::RtsBytes& bytes)
{
    rpch::Rts pdu;
    rpch::decode(bytes, pdu);
    return pdu;
}

inline rpch::Rts conn_a1(std::uint32_t window = 65536, std::uint8_t v = vc, std::uint8_t o = out)
{
    return parse(rpch::RtsBuilder(rpch::RtsId::conn_a1)
                     .version()
                     .cookie(cookie(v))
                     .cookie(cookie(o))
                     .receive_window(window)
                     .done());
}

inline rpch::Rts conn_b1(std::uint32_t keepalive = 300'000, std::uint8_t v = vc, std::uint8_t i = in)
{
    return parse(rpch::RtsBuilder(rpch::RtsId::conn_b1)
                     .version()
                     .cookie(cookie(v))
                     .cookie(cookie(i))
                     .channel_lifetime(0x40000000)
                     .client_keepalive(keepalive)
                     .association_group(cookie(group))
                     .done());
}

inline rpch::Rts conn_a2()
{
    return parse(rpch::RtsBuilder(rpch::RtsId::conn_a2)
                     .version()
                     .cookie(cookie(vc))
                     .cookie(cookie(out))
                     .channel_lifetime(0x40000000)
                     .receive_window(65536)
                     .done());
}

inline rpch::Rts conn_b2()
{
    return parse(rpch::RtsBuilder(rpch::RtsId::conn_b2)
                     .version()
                     .cookie(cookie(vc))
                     .cookie(cookie(in))
                     .receive_window(65536)
                     .connection_timeout(120'000)
                     .association_group(cookie(group))
                     .client_address({})
                     .done());
}

inline rpch::Rts conn_b3(std::uint32_t window = 65536)
{
    return parse(rpch::RtsBuilder(rpch::RtsId::conn_b3).receive_window(window).version().done());
}

inline rpch::Rts conn_c1(std::uint32_t window = 65536, std::uint32_t timeout = 120'000)
{
    return parse(
        rpch::RtsBuilder(rpch::RtsId::conn_c1).version().receive_window(window).connection_timeout(timeout).done());
}

inline rpch::Rts ack(std::uint32_t received, std::uint32_t available, std::uint8_t channel)
{
    return parse(rpch::RtsBuilder(rpch::RtsId::flow_control_ack)
                     .flow_control_ack({received, available, cookie(channel)})
                     .done());
}

inline rpch::Rts ack_to(rpch::Destination to, std::uint32_t received, std::uint32_t available, std::uint8_t channel)
{
    return parse(rpch::RtsBuilder(rpch::RtsId::flow_control_ack_with_destination)
                     .destination(to)
                     .flow_control_ack({received, available, cookie(channel)})
                     .done());
}

inline constexpr std::uint8_t in_next = 0x30, out_next = 0x50; // successors

/// Any PDU of the table: cookies as given, in order; windows 65536, timeouts 120 s, lifetimes 1 GB; the ClientAddress
/// 0.
inline rpch::Rts make(rpch::RtsId id, std::initializer_list<std::uint8_t> cookies = {},
                      rpch::Destination to = rpch::Destination::client)
{
    const rpch::RtsRow& row = rpch::row(id);
    rpch::Rts pdu;
    pdu.flags = row.flags;
    auto name = cookies.begin();
    for (const rpch::CommandType type : row.commands()) {
        rpch::Command command{};
        command.type = type;
        if (type == rpch::CommandType::cookie)
            command.cookie = cookie(name == cookies.end() ? 0x77 : *name++);
        else if (type == rpch::CommandType::association_group_id)
            command.cookie = cookie(group);
        else if (type == rpch::CommandType::receive_window_size)
            command.value = 65536;
        else if (type == rpch::CommandType::connection_timeout)
            command.value = 120'000;
        else if (type == rpch::CommandType::channel_lifetime)
            command.value = 0x40000000;
        else if (type == rpch::CommandType::client_keepalive)
            command.value = 300'000;
        else if (type == rpch::CommandType::version)
            command.value = 1;
        else if (type == rpch::CommandType::destination)
            command.value = static_cast<std::uint32_t>(row.destination.value_or(to));
        pdu.add(command);
    }
    return pdu;
}

inline rpch::Rts simple(rpch::RtsId id)
{
    return parse(rpch::RtsBuilder(id).done());
}

/// One word per effect, in order: "connect", "respond", "client:CONN/A3", "server:CONN/B2", "in:...",
/// "out:...", "last:client:...", "promote:client", "drop:client", "flow" ("flow:predecessor" and the like for
/// legs that are not default), "keep-alive", "opened", "finish", "close". PDUs that look alike carry the first
/// name in the order of RtsId.
inline std::string words(const rpch::Effects& effects)
{
    static constexpr std::string_view legs[] = {"client",        "server",         "in",           "out",
                                                "successor",     "predecessor",    "in_successor", "in_predecessor",
                                                "out_successor", "out_predecessor"};
    std::string text;
    for (const rpch::Effect& effect : effects) {
        if (!text.empty())
            text += ' ';
        const std::string leg(legs[static_cast<std::size_t>(effect.leg)]);
        switch (effect.kind) {
        case rpch::Effect::Kind::connect_server: text += "connect"; break;
        case rpch::Effect::Kind::connect_successor: text += "connect:" + leg; break;
        case rpch::Effect::Kind::respond: text += "respond"; break;
        case rpch::Effect::Kind::promote: text += "promote:" + leg; break;
        case rpch::Effect::Kind::drop: text += "drop:" + leg; break;
        case rpch::Effect::Kind::flow: text += effect.leg <= rpch::Leg::out ? "flow" : "flow:" + leg; break;
        case rpch::Effect::Kind::finish: text += "finish"; break;
        case rpch::Effect::Kind::keep_alive: text += "keep-alive"; break;
        case rpch::Effect::Kind::opened: text += "opened"; break;
        case rpch::Effect::Kind::close: text += "close"; break;
        case rpch::Effect::Kind::send:
        case rpch::Effect::Kind::send_last: {
            text += (effect.kind == rpch::Effect::Kind::send_last ? "last:" : "") + leg + ':';
            const rpch::Rts pdu = parse(effect.pdu);
            for (const rpch::RtsRow& candidate : rpch::rts_rows())
                if (pdu.is(candidate.id)) {
                    text += candidate.name;
                    break;
                }
            break;
        }
        }
    }
    return text;
}

} // namespace role_test
