#include "types/geohash.h"

#include <algorithm>
#include <cmath>

namespace kvasir::geo {

namespace {

constexpr double kRadian = M_PI / 180.0;
constexpr double kEarthRadius = 6372797.560856;  // metres, quadratic mean of WGS 84
constexpr double kMercatorMax = 20037726.37;
constexpr uint64_t kEven = 0x5555555555555555u;
constexpr uint64_t kOdd = 0xaaaaaaaaaaaaaaaau;

double radians(double degrees) { return degrees * kRadian; }
double degrees(double radians) { return radians / kRadian; }

// Puts the bits of x in even places.
uint64_t spread(uint64_t x) {
  x = (x | (x << 16)) & 0x0000ffff0000ffffu;
  x = (x | (x << 8)) & 0x00ff00ff00ff00ffu;
  x = (x | (x << 4)) & 0x0f0f0f0f0f0f0f0fu;
  x = (x | (x << 2)) & 0x3333333333333333u;
  return (x | (x << 1)) & kEven;
}

uint32_t gather(uint64_t x) {
  x &= kEven;
  x = (x | (x >> 1)) & 0x3333333333333333u;
  x = (x | (x >> 2)) & 0x0f0f0f0f0f0f0f0fu;
  x = (x | (x >> 4)) & 0x00ff00ff00ff00ffu;
  x = (x | (x >> 8)) & 0x0000ffff0000ffffu;
  return static_cast<uint32_t>(x | (x >> 16));
}

double latitude_distance(double a, double b) { return kEarthRadius * std::fabs(radians(b) - radians(a)); }

// The cell `east` columns and `north` rows (-1, 0, 1) away, around the edges of the map.
Cell neighbour(const Cell& cell, int east, int north) {
  const unsigned unused = 64 - cell.step * 2;
  uint64_t x = cell.bits & kOdd;
  uint64_t y = cell.bits & kEven;
  // Adding carries over the places of the other coordinate when these are all ones.
  const uint64_t fill_x = kEven >> unused;
  const uint64_t fill_y = kOdd >> unused;
  if (east > 0) x += fill_x + 1;
  if (east < 0) x = (x | fill_x) - (fill_x + 1);
  if (north > 0) y += fill_y + 1;
  if (north < 0) y = (y | fill_y) - (fill_y + 1);
  if (east != 0) x &= kOdd >> unused;
  if (north != 0) y &= kEven >> unused;
  return {x | y, cell.step};
}

// How fine cells may be so that nine of them cover a radius.
unsigned step_for(double radius, double latitude) {
  if (radius == 0) return kMaxStep;
  int step = 1;
  for (; radius < kMercatorMax; radius *= 2) step++;
  step -= 2;
  if (latitude > 66 || latitude < -66) step--;
  if (latitude > 80 || latitude < -80) step--;
  return static_cast<unsigned>(std::clamp(step, 1, static_cast<int>(kMaxStep)));
}

Box polygon_box(Shape* shape) {
  Box box{kLongitudeMax, kLatitudeMax, kLongitudeMin, kLatitudeMin};
  double x = 0, y = 0, z = 0;
  for (const Point& p : shape->vertices) {
    box.west = std::min(box.west, p.longitude);
    box.east = std::max(box.east, p.longitude);
    box.south = std::min(box.south, p.latitude);
    box.north = std::max(box.north, p.latitude);
    const double lon = radians(p.longitude);
    const double lat = radians(p.latitude);
    x += std::cos(lat) * std::cos(lon);
    y += std::cos(lat) * std::sin(lon);
    z += std::sin(lat);
  }
  shape->centre = {degrees(std::atan2(y, x)), degrees(std::atan2(z, std::sqrt(x * x + y * y)))};
  return box;
}

Box bounding_box(Shape* shape) {
  if (shape->kind == Shape::kPolygon) return polygon_box(shape);
  const bool circle = shape->kind == Shape::kCircle;
  const double height = circle ? shape->unit * shape->radius : shape->unit * shape->height / 2;
  const double width = circle ? shape->unit * shape->radius : shape->unit * shape->width / 2;
  const auto [longitude, latitude] = shape->centre;
  const double up = degrees(height / kEarthRadius);
  // Away from the equator meridians are closer: the edge nearer to it is the one that counts.
  const double top = degrees(width / kEarthRadius / std::cos(radians(latitude + up)));
  const double bottom = degrees(width / kEarthRadius / std::cos(radians(latitude - up)));
  const double aside = latitude < 0 ? bottom : top;
  return {longitude - aside, latitude - up, longitude + aside, latitude + up};
}

double covering_radius(const Shape& shape, const Box& box) {
  double r = shape.radius;
  if (shape.kind == Shape::kRectangle) {
    r = std::sqrt((shape.width / 2) * (shape.width / 2) + (shape.height / 2) * (shape.height / 2));
  } else if (shape.kind == Shape::kPolygon) {
    r = std::max(
        {distance(shape.centre, {box.west, box.north}), distance(shape.centre, {box.east, box.north}),
         distance(shape.centre, {box.west, box.south}), distance(shape.centre, {box.east, box.south})});
  }
  return r * shape.unit;
}

}  // namespace

Cell encode(const Point& p, unsigned step, double south, double north) {
  double y = (p.latitude - south) / (north - south);
  double x = (p.longitude - kLongitudeMin) / (kLongitudeMax - kLongitudeMin);
  y *= static_cast<double>(1ULL << step);
  x *= static_cast<double>(1ULL << step);
  return {spread(static_cast<uint32_t>(static_cast<int64_t>(y))) |
              spread(static_cast<uint32_t>(static_cast<int64_t>(x))) << 1,
          step};
}

uint64_t score_of(const Point& p) { return encode(p, kMaxStep).bits; }

Box decode(const Cell& cell) {
  const uint32_t y = gather(cell.bits);
  const uint32_t x = gather(cell.bits >> 1);
  const auto cells = static_cast<double>(1ULL << cell.step);
  constexpr double kHigh = kLatitudeMax - kLatitudeMin;
  constexpr double kWide = kLongitudeMax - kLongitudeMin;
  // The sum wraps, as it does there.
  return {kLongitudeMin + (x * 1.0 / cells) * kWide, kLatitudeMin + (y * 1.0 / cells) * kHigh,
          kLongitudeMin + ((x + 1) * 1.0 / cells) * kWide, kLatitudeMin + ((y + 1) * 1.0 / cells) * kHigh};
}

Point point_of(double score) {
  // A score need not come from here: negative and huge ones become what the conversion makes of them.
  const uint64_t bits =
      score < 0
          ? static_cast<uint64_t>(score < -9223372036854775808.0 ? INT64_MIN : static_cast<int64_t>(score))
      : score >= 18446744073709551616.0 || score != score ? 0
                                                          : static_cast<uint64_t>(score);
  const Box box = decode({bits, kMaxStep});
  return {std::clamp((box.west + box.east) / 2, kLongitudeMin, kLongitudeMax),
          std::clamp((box.south + box.north) / 2, kLatitudeMin, kLatitudeMax)};
}

void text_of(const Point& p, char out[11]) {
  const uint64_t bits = encode(p, kMaxStep, -90, 90).bits;
  for (unsigned i = 0; i < 10; i++) {
    out[i] = "0123456789bcdefghjkmnpqrstuvwxyz"[(bits >> (52 - (i + 1) * 5)) & 0x1f];
  }
  out[10] = '0';  // 52 bits make ten characters
}

double distance(const Point& a, const Point& b) {
  const double v = std::sin((radians(b.longitude) - radians(a.longitude)) / 2);
  // Longitudes that differ by nanometres are equal.
  if (std::fabs(v) <= 1e-15) return latitude_distance(a.latitude, b.latitude);
  const double lat_a = radians(a.latitude);
  const double lat_b = radians(b.latitude);
  const double u = std::sin((lat_b - lat_a) / 2);
  const double h = u * u + std::cos(lat_a) * std::cos(lat_b) * v * v;
  return 2.0 * kEarthRadius * std::asin(std::sqrt(h));
}

bool Shape::contains(const Point& p, double* away) const {
  if (kind == kCircle) {
    *away = distance(centre, p);
    return *away <= radius * unit;
  }
  if (kind == kRectangle) {
    if (latitude_distance(p.latitude, centre.latitude) > height * unit / 2) return false;
    if (distance(p, {centre.longitude, p.latitude}) > width * unit / 2) return false;
    *away = distance(centre, p);
    return true;
  }
  // A ray from the point crosses the edges an odd number of times.
  bool inside = false;
  for (size_t i = 0, j = vertices.size() - 1; i < vertices.size(); j = i++) {
    const Point& a = vertices[i];
    const Point& b = vertices[j];
    if ((a.latitude > p.latitude) != (b.latitude > p.latitude) &&
        p.longitude < (b.longitude - a.longitude) * (p.latitude - a.latitude) / (b.latitude - a.latitude) +
                          a.longitude) {
      inside = !inside;
    }
  }
  if (inside) *away = distance(centre, p);
  return inside;
}

std::array<Cell, 9> cover(Shape* shape) {
  const Box box = bounding_box(shape);
  unsigned step = step_for(covering_radius(*shape, box), shape->centre.latitude);
  Cell centre = encode(shape->centre, step);
  // Near an edge of the centre's cell the next cells may not reach far enough.
  const bool too_fine = decode(neighbour(centre, 0, 1)).north < box.north ||
                        decode(neighbour(centre, 0, -1)).south > box.south ||
                        decode(neighbour(centre, 1, 0)).east < box.east ||
                        decode(neighbour(centre, -1, 0)).west > box.west;
  if (step > 1 && too_fine) centre = encode(shape->centre, --step);
  const Box area = decode(centre);

  constexpr int kAround[9][2] = {{0, 0}, {0, 1},  {0, -1}, {1, 0},  {-1, 0},
                                 {1, 1}, {-1, 1}, {1, -1}, {-1, -1}};
  std::array<Cell, 9> cells;
  for (size_t i = 0; i < cells.size(); i++) {
    const auto [east, north] = kAround[i];
    const bool needless =
        step >= 2 && ((north < 0 && area.south < box.south) || (north > 0 && area.north > box.north) ||
                      (east < 0 && area.west < box.west) || (east > 0 && area.east > box.east));
    if (!needless) cells[i] = neighbour(centre, east, north);
  }
  return cells;
}

ScoreInterval scores_of(const Cell& cell) {
  const unsigned shift = 52 - cell.step * 2;
  return {cell.bits << shift, (cell.bits + 1) << shift};
}

}  // namespace kvasir::geo
