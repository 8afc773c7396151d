// What the C++ programs make of the files FOLDER/FIRST to FOLDER/LAST, a line for each, appended to
// FILE: "read HEIGHT WIDTH MEAN", the mean of all values, or "refused: " and the phrase.
//     main FOLDER FIRST LAST FILE
#include <exception>
#include <fstream>
#include <opencv2/core.hpp>
#include <string>

#include "cpp_infer/files.h"
#include "cpp_infer/preprocess.h"

int main(int, char** argv) {
  std::ofstream lines(argv[4], std::ios::app);
  for (int number = std::stoi(argv[2]); number <= std::stoi(argv[3]); ++number) {
    try {
      const cv::Mat image = cpp_infer::Decode(
          cpp_infer::ReadFile(std::string(argv[1]) + "/" + std::to_string(number)));
      const cv::Scalar mean = cv::mean(image);
      lines << "read " << image.rows << " " << image.cols << " "
            << (mean[0] + mean[1] + mean[2]) / 3 << std::endl;
    } catch (const std::exception& error) {
      lines << "refused: " << error.what() << std::endl;
    }
  }
}
