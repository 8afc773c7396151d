#include "cpp_infer/predict.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "cpp_infer/error.h"
#include "cpp_infer/files.h"
#include "cpp_infer/listing.h"
#include "cpp_infer/loader.h"
#include "cpp_infer/preprocess.h"
#include "cpp_infer/record.h"
#include "cpp_infer/text.h"

namespace cpp_infer {
namespace {

namespace fs = std::filesystem;

// Writes output i of the batch's row `row` of `rows` to <folder>/<name>_<i>.bin.
// Throws Error, and writes none of them, where one holds NaN or infinite numbers.
void WriteResults(const fs::path& folder, const InputFile& file, const std::vector<Output>& outputs,
                  size_t row, size_t rows) {
  for (const Output& output : outputs) {
    const size_t size = output.size / rows;
    const float* values = output.values + row * size;
    if (!std::all_of(values, values + size, [](float value) { return std::isfinite(value); })) {
      throw Error(file.path.string() +
                  ": the outputs for it are not finite numbers; check the model's weights");
    }
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const size_t size = outputs[i].size / rows;
    WriteFile(folder / (file.result_name + "_" + std::to_string(i) + ".bin"),
              outputs[i].values + row * size, size * sizeof(float));
  }
}

// Prints the mean time of a prediction and writes it to test_perform_static.txt.
void ReportTime(const Options& options, double milliseconds, size_t predictions) {
  std::ostringstream mean;
  mean << milliseconds / static_cast<double>(predictions);
  const std::string before = "NN inference cost average time: " + mean.str();
  const std::string after = " of infer_count " + std::to_string(predictions) + "\n";
  std::cout << before << options.unit << after;
  Sync(options.result_dir);  // The timing file stands beside whole results only, whatever happens
                             // to the machine.
  const std::string line = before + " ms" + after;
  WriteFile(fs::path(options.time_dir) / "test_perform_static.txt", line.data(), line.size());
}

constexpr int kMostWorkers =
    16;  // More would wait for each other, and each holds an input of the network.

// Predicts `files`, of which each prediction takes `batch`.
void Predict(const Options& options, Model* model, const std::vector<InputFile>& files,
             size_t batch, const Loader::Fill& fill) {
  for (const std::string& folder : {options.result_dir, options.time_dir}) {
    MakeFolder(folder);
    RemoveLeftovers(folder);
  }
  const size_t predictions = (files.size() + batch - 1) / batch;
  Loader loader(files.size(), batch, model->input_size() / batch,
                std::min(options.threads, kMostWorkers), fill);
  double milliseconds = 0;
  for (size_t first = 0; first < files.size(); first += batch) {
    const float* input = loader.Next();
    const size_t rows = std::min(batch, files.size() - first);
    for (size_t row = 0; row < rows; ++row) {
      std::cout << "Start predict input files:" << Printable(files[first + row].path.string())
                << "\n";
    }
    const std::vector<Output> outputs = model->Predict(input);
    milliseconds += model->milliseconds();
    for (size_t row = 0; row < rows; ++row) {
      WriteResults(options.result_dir, files[first + row], outputs, row, batch);
    }
  }
  ReportTime(options, milliseconds, predictions);
}

}  // namespace

void PredictImages(const Options& options, Model* model, const Preprocessing& preset) {
  const Preprocessing preprocessing =
      RecordedPreprocessing(options.mindir_path, model->height(), model->width(), preset);
  const std::vector<InputFile> files =
      options.any_depth ? ListImagesBelow(options.dataset_path) : ListImages(options.dataset_path);
  cv::setNumThreads(1);  // the workers are the threads
  Predict(options, model, files, model->batch(), [&](size_t item, float* input) {
    const std::string path = files[item].path.string();
    const std::vector<unsigned char> bytes = ReadFile(path);
    cv::Mat image;
    try {
      image = Decode(bytes);
    } catch (const std::exception& error) {
      throw Error(path + ": this image cannot be decoded (" + error.what() +
                  "); repair it or remove it from the data set");
    }
    try {
      Preprocess(preprocessing, image, model->height(), model->width(), input);
    } catch (const std::exception& error) {
      throw Error(path + ": " + error.what());
    }
  });
}

void PredictTensors(const Options& options, Model* model) {
  const std::vector<InputFile> files = ListTensors(options.dataset_path);
  Predict(options, model, files, 1, [&](size_t item, float* input) {
    const std::vector<unsigned char> bytes = ReadFile(files[item].path);
    const size_t wanted = model->input_size() * sizeof(float);
    if (bytes.size() != wanted) {
      throw Error(files[item].path.string() + ": has " + std::to_string(bytes.size()) +
                  " bytes; the model's input has " + std::to_string(wanted));
    }
    std::memcpy(input, bytes.data(), wanted);
  });
}

}  // namespace cpp_infer
