// What the geo commands share.
#pragma once

#include "commands/zset_args.h"
#include "types/geohash.h"

namespace kvasir {

// Each: false means that an error was replied.
// Longitude and latitude in arguments `arg` and the next.
bool parse_point(const Call& call, int arg, geo::Point* out);
// m, km, ft or mi: its length in metres.
bool parse_unit(const Call& call, int arg, double* metres);
// With four decimals.
void reply_distance(const Call& call, double d);
void reply_point(const Call& call, const geo::Point& p);

}  // namespace kvasir
