// Geohashes of 52 bits as sorted set scores, and the geometry of searching by them.
//
// A cell of `step` bits each way is a number of 2 x step bits in which those of the longitude (odd places)
// and the latitude (even places) alternate. Places near each other mostly have near numbers, so an area is
// covered by the cell of its centre and the eight around it, each an interval of scores. The arithmetic is
// done in Valkey's order: its results are wire-visible to the last bit.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace kvasir::geo {

inline constexpr double kLongitudeMin = -180, kLongitudeMax = 180;
inline constexpr double kLatitudeMin = -85.05112878, kLatitudeMax = 85.05112878;
inline constexpr unsigned kMaxStep = 26;

struct Point {
  double longitude = 0, latitude = 0;
};

struct Box {
  double west = 0, south = 0, east = 0, north = 0;
};

// No step: no cell.
struct Cell {
  uint64_t bits = 0;
  unsigned step = 0;
  bool operator==(const Cell&) const = default;
};

inline bool valid(const Point& p) {
  // Written so that what is not a number passes, as it always did.
  return !(p.longitude < kLongitudeMin || p.longitude > kLongitudeMax || p.latitude < kLatitudeMin ||
           p.latitude > kLatitudeMax);
}
// In ranges of latitude other than ours for the hashes that the world knows (GEOHASH).
Cell encode(const Point& p, unsigned step, double south = kLatitudeMin, double north = kLatitudeMax);
uint64_t score_of(const Point& p);
Box decode(const Cell& cell);
// The centre of a score's cell.
Point point_of(double score);
// The eleven characters of the geohash that other programs understand.
void text_of(const Point& p, char out[11]);
// Metres.
double distance(const Point& a, const Point& b);

struct Shape {
  enum Kind : uint8_t { kCircle, kRectangle, kPolygon };
  Kind kind = kCircle;
  Point centre;
  double unit = 1;  // metres
  double radius = 0;
  double width = 0, height = 0;
  std::vector<Point> vertices;

  // Whether p is inside; *away is its distance from the centre then.
  bool contains(const Point& p, double* away) const;
};

// The cells that cover a shape, the centre's first; those that are not needed are none. Sets the centre of a
// polygon.
std::array<Cell, 9> cover(Shape* shape);

// Scores from `min` on and below `max` are in the cell.
struct ScoreInterval {
  uint64_t min, max;
};
ScoreInterval scores_of(const Cell& cell);

}  // namespace kvasir::geo
