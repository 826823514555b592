// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.metrics.inception.OutputLayer;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.testing.NoLiveTensors;

/** The metrics on images that never were in a file, beside those of the reference's files. */
@ExtendWith(NoLiveTensors.class)
class MetricsTest {
  private static final WorkOptions WORK = WorkOptions.defaults().withThreads(2);

  /** Hands out the activations of a file, as if the images that it is given had them. */
  private static final class Recorded implements FeatureExtractor {
    private final Activations pool;
    private final Activations spatial;
    private long next;

    Recorded(ActivationsFile file) {
      pool = file.activations(Feature.POOL, "a test");
      spatial = file.activations(Feature.SPATIAL, "a test");
    }

    @Override
    public InceptionFeatures features(Tensor images) {
      InceptionFeatures features =
          new InceptionFeatures(rows(pool, images.size(0)), rows(spatial, images.size(0)));
      next += images.size(0);
      return features;
    }

    private Tensor rows(Activations from, long count) {
      try (Activations.Reader reader = from.open()) {
        Tensor all = reader.read(from.count());
        return Shapes.narrow(all, 0, next, count);
      }
    }
  }

  private static void addAll(ActivationCollector collector, int... batches) {
    for (int batch : batches) {
      try (Tensor images = Torch.zeros(DType.UINT8, batch, 3, 1, 1)) {
        collector.add(images);
      }
    }
  }

  @Test
  void imagesInMemoryHaveTheMetricsOfTheReferencesFiles() {
    long before = Tensor.liveCount();
    try (ActivationsFile samples = ActivationsFile.open(Fixtures.SAMPLE);
        ActivationsFile reference = ActivationsFile.open(Fixtures.REFERENCE);
        ActivationCollector collected = new ActivationCollector("samples", new Recorded(samples))) {
      addAll(collected, 50, 1, 69);

      assertThat(collected.count()).hasValue(120);
      // Features are kept as the network makes them, in float32; the file has float64.
      double fid = Fixtures.expected("fid_batch64");
      assertThat(Metrics.fid(collected, reference, WORK).distance())
          .isCloseTo(fid, within(1e-6 * fid));
      double sfid = Fixtures.expected("sfid_batch64");
      assertThat(Metrics.sfid(collected, reference, WORK).distance())
          .isCloseTo(sfid, within(1e-7 * sfid));
      assertThat(Metrics.precisionRecall(collected, reference, 3, WORK))
          .isEqualTo(new PrecisionRecall(3, 120, 86, 160, 138));
      assertThat(Metrics.fid(samples, reference, WORK).distance())
          .isCloseTo(fid, within(1e-7 * fid));
    }
    // Also where no scope collects what is forgotten.
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void arraysAreEnough() {
    try (TensorScope _ = TensorScope.open();
        ActivationsFile samples = ActivationsFile.open(Fixtures.SAMPLE);
        ActivationsFile reference = ActivationsFile.open(Fixtures.REFERENCE);
        ActivationSet both =
            ActivationSet.of(inMemory(samples, Feature.POOL), inMemory(samples, Feature.SPATIAL));
        ActivationSet pool = ActivationSet.of(inMemory(reference, Feature.POOL))) {
      double fid = Fixtures.expected("fid_batch64");
      assertThat(Metrics.fid(both, pool, WORK).distance()).isCloseTo(fid, within(1e-7 * fid));
      double sfid = Fixtures.expected("sfid_batch64");
      assertThat(Metrics.sfid(both, reference, WORK).distance())
          .isCloseTo(sfid, within(1e-7 * sfid));
      assertThat(both.count()).hasValue(120);
      assertThat(pool.hasMoments(Feature.SPATIAL)).isFalse();
      assertThatThrownBy(() -> Metrics.sfid(both, pool, WORK))
          .isInstanceOf(RdmException.class)
          .hasMessageContaining("sFID requires spatial features, but none were given");
      assertThatThrownBy(() ->
              ActivationSet.of(
                  inMemory(samples, Feature.POOL), inMemory(reference, Feature.SPATIAL)))
          .isInstanceOf(RdmException.class)
          .hasMessageContaining("has 120 images, but ");
    }
  }

  private static Activations inMemory(ActivationsFile file, Feature feature) {
    Activations rows = file.activations(feature, "a test");
    try (Activations.Reader reader = rows.open()) {
      return Activations.of(rows.name(), reader.read(rows.count()));
    }
  }

  @Test
  void anAddedBatchCountsFromThenOn() {
    try (ActivationsFile samples = ActivationsFile.open(Fixtures.SAMPLE);
        ActivationCollector collected = new ActivationCollector("samples", new Recorded(samples))) {
      addAll(collected, 40, 40);
      assertThat(collected.activations(Feature.POOL, "this").count()).isEqualTo(80);
      addAll(collected, 40);
      assertThat(collected.activations(Feature.POOL, "this").count()).isEqualTo(120);
      try (Moments pool = collected.moments(Feature.POOL, "this", WORK);
          Moments spatial = collected.moments(Feature.SPATIAL, "this", WORK)) {
        assertThat(List.of(pool.count(), spatial.count()))
            .allSatisfy(count -> assertThat(count).hasValue(120));
      }
    }
  }

  @Test
  void theInceptionScoreLeavesNothingBehind() {
    Tensor weight = Torch.tensor(new float[] {1, 0, 0, 1, 1, 1}, 3, 2);
    Tensor bias = Torch.tensor(new float[] {0, 0, 1}, 3);
    Tensor rows = Torch.tensor(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 4, 2);
    long before = Tensor.liveCount();
    try (weight;
        bias;
        rows) {
      InceptionScore score =
          InceptionScore.of(
              Activations.of("rows", rows),
              new OutputLayer(weight, bias),
              InceptionScore.Options.defaults(),
              WORK);
      assertThat(score.mean()).isGreaterThan(1);
      assertThat(Tensor.liveCount()).isEqualTo(before);
    }
  }

  @Test
  void whatACollectorDoesNotKeepIsNamed() {
    try (ActivationsFile samples = ActivationsFile.open(Fixtures.SAMPLE);
        ActivationCollector collected =
            new ActivationCollector("the samples", new Recorded(samples));
        TensorScope _ = TensorScope.open()) {
      assertThat(collected.hasMoments(Feature.SPATIAL)).isFalse();
      assertThatThrownBy(() -> Metrics.fid(collected, samples, WORK))
          .isInstanceOf(RdmException.class)
          .hasMessage("the samples: FID requires images, but none were added");
      addAll(collected, 2);
      assertThat(collected.hasActivations(Feature.POOL)).isTrue();
      assertThat(collected.hasActivations(Feature.SPATIAL)).isFalse();
      assertThatThrownBy(() -> collected.activations(Feature.SPATIAL, "a look"))
          .isInstanceOf(RdmException.class)
          .hasMessage(
              "the samples: a look requires activations, but only the moments of spatial features"
                  + " are kept");
    }
  }
}
