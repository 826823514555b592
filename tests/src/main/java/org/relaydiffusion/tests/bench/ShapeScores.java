// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.List;
import java.util.stream.IntStream;
import org.relaydiffusion.diffusion.data.convert.SyntheticShapes;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.metrics.Activations;
import org.relaydiffusion.metrics.FrechetDistance;
import org.relaydiffusion.metrics.Moments;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.tests.shapes.PaintedShapes;
import org.relaydiffusion.tests.shapes.ShapeClassifier;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * How good pictures of shapes are, by the features of the shape classifier's last hidden layer: the
 * Frechet distance to those of pictures of the data set, and the fraction of pictures that it
 * assigns to the class that they were sampled for.
 *
 * @param classifier the classifier
 * @param references the moments of the data set's features
 */
record ShapeScores(ShapeClassifier classifier, Moments references) implements AutoCloseable {
  private static final int REFERENCES = 8192;
  private static final int SIDE = 64;

  /** Neither that of the networks' data set nor that of the classifier's. */
  private static final long SEED = 2;

  /**
   * The scores of a set of pictures.
   *
   * @param distance the Frechet distance, in squared units of the features
   * @param accuracy the fraction of pictures of the right class
   */
  record Score(double distance, double accuracy) {}

  /** Fits the classifier, and computes the features of the references. */
  static ShapeScores open() {
    ShapeClassifier classifier = PaintedShapes.classifier();
    try (TensorScope _ = TensorScope.open()) {
      Tensor rows = rows(features(classifier, dataSet(REFERENCES, SEED)));
      return new ShapeScores(
          classifier, Moments.of(Activations.of("data set", rows), WorkOptions.defaults()));
    }
  }

  /** Renders pictures of the data set. */
  static List<Pixels> dataSet(int count, long seed) {
    try (SyntheticShapes shapes = new SyntheticShapes(count, SIDE, seed)) {
      return IntStream.range(0, count).parallel().mapToObj(shapes::read).toList();
    }
  }

  /**
   * Scores pictures, of which number i was sampled for class i mod 8.
   *
   * @param pictures more than one
   */
  Score of(List<Pixels> pictures) {
    List<double[]> features = features(classifier, pictures);
    long right =
        IntStream.range(0, features.size())
            .filter(i -> classifier.classify(features.get(i)) == i % DemoRelay.CLASSES)
            .count();
    try (TensorScope _ = TensorScope.open()) {
      FrechetDistance distance =
          FrechetDistance.between(
              Activations.of("pictures", rows(features)), references, WorkOptions.defaults());
      return new Score(distance.distance(), (double) right / pictures.size());
    }
  }

  private static List<double[]> features(ShapeClassifier classifier, List<Pixels> pictures) {
    return pictures.parallelStream().map(classifier::features).toList();
  }

  private static Tensor rows(List<double[]> features) {
    return Torch.tensor(features.toArray(double[][]::new));
  }

  @Override
  public void close() {
    references.close();
  }
}
