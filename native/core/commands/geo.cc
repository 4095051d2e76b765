// Places as members of sorted sets: adding them, and what is known of single ones.
#include <vector>

#include "base/numbers.h"
#include "commands/geo_args.h"

namespace kvasir {

bool parse_point(const Call& call, int arg, geo::Point* out) {
  if (!parse_float(call, arg, &out->longitude) || !parse_float(call, arg + 1, &out->latitude)) return false;
  if (geo::valid(*out)) return true;
  call.reply().errorf("ERR invalid longitude,latitude pair %f,%f", out->longitude, out->latitude);
  return false;
}

bool parse_unit(const Call& call, int arg, double* metres) {
  constexpr std::pair<const char*, double> kUnits[] = {
      {"m", 1}, {"km", 1000}, {"ft", 0.3048}, {"mi", 1609.34}};
  for (const auto& [name, length] : kUnits) {
    if (!equals_nocase(call.arg(arg), name)) continue;
    *metres = length;
    return true;
  }
  call.reply().error("ERR unsupported unit provided. please use M, KM, FT, MI");
  return false;
}

void reply_distance(const Call& call, double d) {
  char text[64];
  call.reply().bulk({text, format_fixed(text, d, 4)});
}

void reply_point(const Call& call, const geo::Point& p) {
  call.reply().array(2);
  call.reply().human_real(p.longitude);
  call.reply().human_real(p.latitude);
}

namespace {

void geoadd_command(Call& call) {
  ZaddOptions options;
  int first = 2;
  for (; first < call.argc(); first++) {
    const Slice word = call.arg(first);
    if (equals_nocase(word, "nx")) {
      options.flags |= kZaddNx;
    } else if (equals_nocase(word, "xx")) {
      options.flags |= kZaddXx;
    } else if (equals_nocase(word, "ch")) {
      options.changed = true;
    } else {
      break;
    }
  }
  const int rest = call.argc() - first;
  if (rest % 3 != 0 || ((options.flags & kZaddNx) && (options.flags & kZaddXx))) return call.syntax_error();
  std::vector<ScoredArgument> members;
  members.reserve(static_cast<size_t>(rest / 3));
  for (int i = first; i < call.argc(); i += 3) {
    geo::Point p;
    if (!parse_point(call, i, &p)) return;
    members.push_back({static_cast<double>(geo::score_of(p)), call.arg(i + 2)});
  }
  // ZADD, which does the rest, wants a pair at least.
  if (members.empty()) return call.syntax_error();
  const uint64_t before = call.ks().dirty;
  add_members(call, options, members);
  if (!call.propagating() || call.ks().dirty == before) return;
  std::vector<Slice> argv = {"ZADD"};
  argv.insert(argv.end(), call.argv.begin() + 1, call.argv.begin() + first);
  std::vector<std::string> scores;
  scores.reserve(members.size());
  for (const ScoredArgument& m : members) {
    scores.push_back(std::to_string(static_cast<uint64_t>(m.score)));
    argv.emplace_back(scores.back());
    argv.push_back(m.member);
  }
  call.propagation().rewrite(argv);
}

void geodist_command(Call& call) {
  double unit = 1;
  if (call.argc() == 5) {
    if (!parse_unit(call, 4, &unit)) return;
  } else if (call.argc() > 5) {
    return call.syntax_error();
  }
  const FoundZset found = read_zset(call, 1);
  if (found.wrong) return;
  double a, b;
  if (!found || !zset_score(found.collection(), call.arg(2), &a) ||
      !zset_score(found.collection(), call.arg(3), &b)) {
    return call.reply().null();
  }
  reply_distance(call, geo::distance(geo::point_of(a), geo::point_of(b)) / unit);
}

void geohash_command(Call& call) {
  const FoundZset found = read_zset(call, 1);
  if (found.wrong) return;
  call.reply().array(call.argc() - 2);
  for (int i = 2; i < call.argc(); i++) {
    double score;
    if (!found || !zset_score(found.collection(), call.arg(i), &score)) {
      call.reply().null();
      continue;
    }
    char text[11];
    geo::text_of(geo::point_of(score), text);
    call.reply().bulk({text, sizeof(text)});
  }
}

void geopos_command(Call& call) {
  const FoundZset found = read_zset(call, 1);
  if (found.wrong) return;
  call.reply().array(call.argc() - 2);
  for (int i = 2; i < call.argc(); i++) {
    double score;
    if (!found || !zset_score(found.collection(), call.arg(i), &score)) {
      call.reply().null_array();
    } else {
      reply_point(call, geo::point_of(score));
    }
  }
}

}  // namespace

void register_geo_commands(HandlerMap& map) {
  map["geoadd"] = geoadd_command;
  map["geodist"] = geodist_command;
  map["geohash"] = geohash_command;
  map["geopos"] = geopos_command;
}

}  // namespace kvasir
