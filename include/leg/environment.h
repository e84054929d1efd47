#pragma once

#include "base/lane.h"
#include "directory/judge.h"
#include "leg/nodes.h"
#include "leg/settings.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/sources.h"

namespace leg {

/// What every part of a shard's tunnel works with. All of it outlives the hub.
struct Environment {
    net::Loop& loop;
    base::Lane& directory; ///< on which `judge` is asked
    net::Resolver& resolver;
    directory::Judge& judge;
    const Settings& settings;
    const Nodes& nodes;
    net::Sources& sources; ///< where connections to servers come from
};

} // namespace leg
