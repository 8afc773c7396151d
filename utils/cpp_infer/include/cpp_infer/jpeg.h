// What a JPEG decoder knows of a file, told by its segments (ITU-T T.81, annex B).
#ifndef CPP_INFER_JPEG_H_
#define CPP_INFER_JPEG_H_

#include <cstddef>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "cpp_infer/error.h"

namespace cpp_infer {

constexpr int kStartOfScan = 0xDA;  // the marker

// The frame and the tables, segment after segment.
class Jpeg {
 public:
  int components() const { return static_cast<int>(components_.size()); }
  int scans() const { return scans_; }
  bool several_scans() const { return several_scans_; }

  // The phrase for a file that ends here.
  Error Cut() const;

  // Throws Error where no decoder goes on after the segment `body` of `length` bytes.
  void Read(int marker, size_t length, const std::vector<unsigned char>& body);

 private:
  using Bytes = std::vector<unsigned char>;

  struct Component {
    int identifier;
    int blocks;  // in a unit
    int quantization_table;
  };

  void ReadQuantizationTables(const Bytes& body);
  void ReadHuffmanTables(const Bytes& body);
  void ReadFrame(const Bytes& body);
  void ReadScan(const Bytes& body);
  std::vector<size_t> Chosen(const Bytes& body, size_t count) const;

  std::vector<Component> components_;            // as in the frame
  std::set<int> quantization_;                   // numbers of the tables that are defined
  std::map<std::pair<int, int>, bool> huffman_;  // those, by (class, number): whether right
  std::set<size_t> quantized_;  // components whose quantization table an earlier scan has fixed
  bool has_adobe_ = false;
  bool is_progressive_ = false;
  bool several_scans_ = false;
  int scans_ = 0;
};

}  // namespace cpp_infer

#endif  // CPP_INFER_JPEG_H_
