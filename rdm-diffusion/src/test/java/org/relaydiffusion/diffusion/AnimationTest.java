// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;

/** How images come into being, as frames. */
class AnimationTest {
  @TempDir private Path folder;

  private static RelayPipeline pipeline() {
    return RelayPipeline.of(
        List.of(new Stage(0, new StubDenoiser(8, 3, 0)), new Stage(1, new StubDenoiser(32, 3, 0))),
        Numerics.FAST,
        Device.CPU);
  }

  private static int frames(Path gif) throws IOException {
    try (ImageInputStream in = ImageIO.createImageInputStream(gif.toFile())) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      ImageReader reader = readers.next();
      reader.setInput(in);
      assertThat(reader.getWidth(0)).isEqualTo(reader.getWidth(reader.getNumImages(true) - 1));
      return reader.getNumImages(true);
    }
  }

  private static SampleRequest request(int firstSteps, long... seeds) {
    return SampleRequest.builder()
        .seeds(seeds)
        .batch(2)
        .solver(0, EdmOptions.DEFAULT.toBuilder().numSteps(firstSteps).build())
        .build();
  }

  @Test
  void aFrameIsAPredictionOfTheFirstBatchAtTheSizeOfTheLastStage() throws IOException {
    Path file = folder.resolve("trajectory.gif");
    List<Progress> heard = new ArrayList<>();
    List<Pixels> predicted = new ArrayList<>();
    List<Pixels> finished = new ArrayList<>();
    try (RelayPipeline pipeline = pipeline();
        Animation animation = Animation.create(file, 32);
        Samples samples =
            pipeline.sample(
                request(5, 1, 2, 3),
                animation.andThen(p -> {
                  heard.add(p);
                  predicted.addAll(p.pictures());
                }))) {
      samples.forEach(s -> finished.add(s.pixels()));
      assertThat(file).doesNotExist();
      animation.finish();
    }
    long ofFirstBatch = heard.stream().filter(p -> p.batch() == 0).count();
    assertThat(frames(file)).isEqualTo((int) ofFirstBatch);
    // The relay ends with the network's prediction.
    assertThat(predicted.getLast()).isEqualTo(finished.getLast());
  }

  @Test
  void aLongStageIsThinnedOut() throws IOException {
    Path file = folder.resolve("long.gif");
    try (RelayPipeline pipeline = pipeline();
        Animation animation = Animation.create(file, 8);
        Samples samples =
            pipeline.sample(
                SampleRequest.builder()
                    .seeds(1)
                    .range(StageRange.only(0))
                    .solver(0, EdmOptions.DEFAULT.toBuilder().numSteps(150).build())
                    .build(),
                animation)) {
      samples.forEach(_ -> {});
      animation.finish();
    }
    assertThat(frames(file)).isEqualTo(Animation.MOST_FRAMES);
  }

  @Test
  void nothingIsWrittenIfItIsNotFinished() {
    Path file = folder.resolve("none.gif");
    try (Animation animation = Animation.create(file, 8)) {
      assertThatThrownBy(animation::finish).isInstanceOf(IllegalStateException.class);
    }
    assertThat(folder).isEmptyDirectory();
  }
}
