// Places in an area: GEOSEARCH, GEOSEARCHSTORE and the GEORADIUS family.
#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "base/numbers.h"
#include "base/partial_quicksort.h"
#include "commands/geo_args.h"
#include "types/zset_builder.h"

namespace kvasir {

namespace {

enum class Form : uint8_t { kRadius, kRadiusByMember, kSearch, kSearchStore };
enum class Order : uint8_t { kNone, kNearest, kFarthest };

struct Search {
  Form form;
  bool read_only;
  geo::Shape shape;
  bool from_member = false, from_point = false;
  bool by_radius = false, by_box = false, by_polygon = false;
  bool distances = false, hashes = false, places = false;
  Order order = Order::kNone;
  bool any = false;
  int64_t count = 0;  // 0: all
  int store_arg = 0;  // 0: to the client
  bool store_distances = false;

  [[nodiscard]] bool is_search() const { return form == Form::kSearch || form == Form::kSearchStore; }
};

struct Found {
  std::string member;
  geo::Point place;
  double distance;
  double score;
};

bool parse_distance(const Call& call, int arg, geo::Shape* shape) {
  if (!parse_float(call, arg, &shape->radius, "ERR need numeric radius")) return false;
  if (shape->radius < 0) {
    call.reply().error("ERR radius cannot be negative");
    return false;
  }
  return parse_unit(call, arg + 1, &shape->unit);
}

bool parse_box(const Call& call, int arg, geo::Shape* shape) {
  if (!parse_float(call, arg, &shape->width, "ERR need numeric width") ||
      !parse_float(call, arg + 1, &shape->height, "ERR need numeric height")) {
    return false;
  }
  if (shape->width < 0 || shape->height < 0) {
    call.reply().error("ERR height or width cannot be negative");
    return false;
  }
  return parse_unit(call, arg + 2, &shape->unit);
}

// numvertices, then their coordinates. Returns the number of arguments, 0 if an error was replied.
int parse_polygon(const Call& call, int arg, geo::Shape* shape) {
  int64_t n;
  if (!parse_integer(call, arg, &n, "ERR invalid number of vertices")) return 0;
  if (n < std::numeric_limits<int>::min() || n > std::numeric_limits<int>::max()) {
    call.reply().error("ERR invalid number of vertices");
    return 0;
  }
  if (n < 3 || (call.argc() - arg - 1) / 2 < n) {
    call.reply().error("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices");
    return 0;
  }
  shape->unit = 1;
  shape->vertices.resize(static_cast<size_t>(n));
  for (int i = 0; i < n; i++) {
    if (!parse_point(call, arg + 1 + 2 * i, &shape->vertices[static_cast<size_t>(i)])) return 0;
  }
  return 1 + 2 * static_cast<int>(n);
}

bool place_of_member(const Call& call, const FoundZset& found, int arg, geo::Point* out) {
  double score;
  if (!zset_score(found.collection(), call.arg(arg), &score)) {
    call.reply().error("ERR member " + std::string(call.arg(arg).str().c_str()) + " does not exist");
    return false;
  }
  *out = geo::point_of(score);
  return true;
}

// Where to search, for GEOSEARCH. The arguments that belong to the word at `i`; 0: it is no such word here;
// -1: an error was replied.
int parse_area(const Call& call, const FoundZset& found, int i, Search* s) {
  const Slice word = call.arg(i);
  const int after = call.argc() - i - 1;
  if (equals_nocase(word, "frommember") && after >= 1 && !s->from_point && !s->by_polygon) {
    // Without a key the options are still looked at.
    if (found && !place_of_member(call, found, i + 1, &s->shape.centre)) return -1;
    s->from_member = true;
    return 1;
  }
  if (equals_nocase(word, "fromlonlat") && after >= 2 && !s->from_member && !s->by_polygon) {
    if (!parse_point(call, i + 1, &s->shape.centre)) return -1;
    s->from_point = true;
    return 2;
  }
  if (equals_nocase(word, "byradius") && after >= 2 && !s->by_box && !s->by_polygon) {
    if (!parse_distance(call, i + 1, &s->shape)) return -1;
    s->shape.kind = geo::Shape::kCircle;
    s->by_radius = true;
    return 2;
  }
  if (equals_nocase(word, "bybox") && after >= 3 && !s->by_radius && !s->by_polygon) {
    if (!parse_box(call, i + 1, &s->shape)) return -1;
    s->shape.kind = geo::Shape::kRectangle;
    s->by_box = true;
    return 3;
  }
  if (equals_nocase(word, "bypolygon") && after >= 2 && !s->by_radius && !s->by_box && !s->from_member &&
      !s->from_point) {
    const int used = parse_polygon(call, i + 1, &s->shape);
    if (used == 0) return -1;
    s->shape.kind = geo::Shape::kPolygon;
    s->by_polygon = true;
    return used;
  }
  return 0;
}

// False: an error was replied.
bool parse_search_options(const Call& call, const FoundZset& found, int from, Search* s) {
  for (int i = from; i < call.argc(); i++) {
    const Slice word = call.arg(i);
    const bool has_value = i + 1 < call.argc();
    const bool may_store = !s->read_only && !s->is_search();
    if (equals_nocase(word, "withdist")) {
      s->distances = true;
    } else if (equals_nocase(word, "withhash")) {
      s->hashes = true;
    } else if (equals_nocase(word, "withcoord")) {
      s->places = true;
    } else if (equals_nocase(word, "any")) {
      s->any = true;
    } else if (equals_nocase(word, "asc")) {
      s->order = Order::kNearest;
    } else if (equals_nocase(word, "desc")) {
      s->order = Order::kFarthest;
    } else if (equals_nocase(word, "count") && has_value) {
      if (!parse_integer(call, ++i, &s->count)) return false;
      if (s->count <= 0) {
        call.reply().error("ERR COUNT must be > 0");
        return false;
      }
    } else if (may_store && has_value && (equals_nocase(word, "store") || equals_nocase(word, "storedist"))) {
      s->store_arg = ++i;
      s->store_distances = word.size > 5;
    } else if (s->form == Form::kSearchStore && equals_nocase(word, "storedist")) {
      s->store_distances = true;
    } else {
      const int used = s->is_search() ? parse_area(call, found, i, s) : 0;
      if (used < 0) return false;
      if (used == 0) {
        call.syntax_error();
        return false;
      }
      i += used;
    }
  }
  return true;
}

// False: an error was replied.
bool consistent(const Call& call, const Search& s) {
  Reply& reply = call.reply();
  if (s.store_arg != 0 && (s.distances || s.hashes || s.places)) {
    reply.errorf("ERR %s is not compatible with WITHDIST, WITHHASH and WITHCOORD options",
                 s.form == Form::kSearchStore ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS");
    return false;
  }
  const std::string name = call.arg(0).str();
  if (s.is_search() && !s.from_member && !s.from_point && !s.by_polygon) {
    reply.errorf("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for %s", name.c_str());
    return false;
  }
  if (s.is_search() && !s.by_radius && !s.by_box && !s.by_polygon) {
    reply.errorf("ERR exactly one of BYRADIUS, BYBOX and BYPOLYGON can be specified for %s", name.c_str());
    return false;
  }
  if (s.any && s.count == 0) {
    reply.error("ERR the ANY argument requires COUNT argument");
    return false;
  }
  return true;
}

std::vector<Found> find_in(const Collection& c, Search* s) {
  std::vector<Found> found;
  const size_t enough = s->any ? static_cast<size_t>(s->count) : std::numeric_limits<size_t>::max();
  geo::Cell last;
  char tmp[kInt64Chars + 1];
  const std::array<geo::Cell, 9> cells = geo::cover(&s->shape);
  for (size_t i = 0; i < cells.size(); i++) {
    const geo::Cell& cell = cells[i];
    // Where cells are large the same one may be on both sides.
    if (cell.step == 0 || cell == last) continue;
    if (found.size() >= enough) break;
    const geo::ScoreInterval scores = geo::scores_of(cell);
    ScoreRange range;
    range.min = static_cast<double>(scores.min);
    range.max = static_cast<double>(scores.max);
    range.max_open = true;
    const RankInterval ranks = zset_interval(c, range);
    if (ranks.size() > 0) {
      ZsetCursor at(c, ranks.first);
      for (size_t n = ranks.size(); n > 0 && found.size() < enough; n--, at.next()) {
        const geo::Point p = geo::point_of(at.score());
        double away = 0;
        if (s->shape.contains(p, &away)) found.push_back({at.member(tmp).str(), p, away, at.score()});
      }
    }
    // The centre's cell (index 0) is never taken for the previous one, as in Valkey.
    if (i > 0) last = cells[i];
  }
  return found;
}

void sort_found(std::vector<Found>* found, Order order, size_t wanted) {
  if (order == Order::kNone) return;
  const bool nearest = order == Order::kNearest;
  const auto compare = [nearest](const Found& a, const Found& b) {
    const int c = a.distance < b.distance ? -1 : a.distance > b.distance ? 1 : 0;
    return nearest ? c : -c;
  };
  // Two ways, as in Valkey, since it shows where places are equally far away.
  if (wanted == found->size()) {
    std::stable_sort(found->begin(), found->end(),
                     [&](const Found& a, const Found& b) { return compare(a, b) < 0; });
  } else {
    partial_quicksort(std::span<Found>(*found), wanted, compare);
  }
}

void reply_found(const Call& call, const Search& s, const std::vector<Found>& found, size_t n) {
  Reply& reply = call.reply();
  reply.array(static_cast<int64_t>(n));
  const int extras = static_cast<int>(s.distances) + static_cast<int>(s.hashes) + static_cast<int>(s.places);
  for (size_t i = 0; i < n; i++) {
    const Found& f = found[i];
    if (extras > 0) reply.array(extras + 1);
    reply.bulk(f.member);
    if (s.distances) reply_distance(call, f.distance / s.shape.unit);
    if (s.hashes) reply.integer(static_cast<int64_t>(f.score));
    if (s.places) reply_point(call, f.place);
  }
}

void search_generic(const Call& call, Form form, bool read_only) {
  Search s;
  s.form = form;
  s.read_only = read_only;
  if (form == Form::kSearchStore) s.store_arg = 1;
  const FoundZset found = read_zset(call, form == Form::kSearchStore ? 2 : 1);
  if (found.wrong) return;
  int options = form == Form::kSearchStore ? 3 : 2;
  if (form == Form::kRadius) {
    options = 6;
    if (!parse_point(call, 2, &s.shape.centre) || !parse_distance(call, 4, &s.shape)) return;
  } else if (form == Form::kRadiusByMember) {
    options = 5;
    if (found && (!place_of_member(call, found, 2, &s.shape.centre) || !parse_distance(call, 3, &s.shape)))
      return;
  }
  if (!parse_search_options(call, found, options, &s) || !consistent(call, s)) return;

  Reply& reply = call.reply();
  const EncodingLimits& limits = call.core.settings.encodings;
  if (!found) {
    if (s.store_arg == 0) return reply.array(0);
    store_zset(call, s.store_arg, zset_make(limits, 0, 0), "", 0);
    return reply.integer(0);
  }
  // The first of something means the nearest, unless any will do.
  if (s.count != 0 && s.order == Order::kNone && !s.any) s.order = Order::kNearest;
  std::vector<Found> places = find_in(found.collection(), &s);
  const size_t n = s.count == 0 ? places.size() : std::min(places.size(), static_cast<size_t>(s.count));
  sort_found(&places, s.order, n);
  if (s.store_arg == 0) return reply_found(call, s, places, n);

  ZsetBuilder gathered(n);
  for (size_t i = 0; i < n; i++) {
    bool added;
    gathered.find_or_add(places[i].member,
                         s.store_distances ? places[i].distance / s.shape.unit : places[i].score, &added);
  }
  Collection result = gathered.finish();
  zset_settle(&result, limits);
  store_zset(call, s.store_arg, result, s.is_search() ? "geosearchstore" : "georadiusstore", n);
  reply.integer(static_cast<int64_t>(n));
}

void geosearch_command(Call& call) { search_generic(call, Form::kSearch, true); }
void geosearchstore_command(Call& call) { search_generic(call, Form::kSearchStore, false); }
void georadius_command(Call& call) { search_generic(call, Form::kRadius, false); }
void georadius_ro_command(Call& call) { search_generic(call, Form::kRadius, true); }
void georadiusbymember_command(Call& call) { search_generic(call, Form::kRadiusByMember, false); }
void georadiusbymember_ro_command(Call& call) { search_generic(call, Form::kRadiusByMember, true); }

}  // namespace

void register_geo_search_commands(HandlerMap& map) {
  map["geosearch"] = geosearch_command;
  map["geosearchstore"] = geosearchstore_command;
  map["georadius"] = georadius_command;
  map["georadius_ro"] = georadius_ro_command;
  map["georadiusbymember"] = georadiusbymember_command;
  map["georadiusbymember_ro"] = georadiusbymember_ro_command;
}

}  // namespace kvasir
