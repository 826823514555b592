package org.relaydiffusion.diffusion.data.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;

class DatasetConversionTest {
  @TempDir private Path folder;

  /** Shapes, of which one cannot be read, and only those below {@code labelled} have a label. */
  private static final class Shapes implements ImageSource {
    private final ImageSource good;
    private final int broken;
    private final int labelled;
    private final AtomicInteger reading = new AtomicInteger();

    Shapes(int count, int broken, int labelled) {
      this.good = new SyntheticShapes(count, 8, 0);
      this.broken = broken;
      this.labelled = labelled;
    }

    @Override
    public int size() {
      return good.size();
    }

    @Override
    public Pixels read(int index) {
      reading.incrementAndGet();
      try {
        if (index == broken) {
          throw new FileException(Path.of("shape" + index), "is damaged");
        }
        return good.read(index);
      } finally {
        reading.decrementAndGet();
      }
    }

    @Override
    public OptionalInt label(int index) {
      return index < labelled ? good.label(index) : OptionalInt.empty();
    }

    @Override
    public String name(int index) {
      return "shape" + index;
    }

    @Override
    public void close() {}
  }

  private static DatasetConversion conversion(ImageSource source, Path target) {
    return new DatasetConversion(source, Optional::of, target, OptionalInt.empty(), 3);
  }

  private static ConvertedDataset run(DatasetConversion conversion) {
    return conversion.run(DatasetConversion.Listener.NONE, new Cancellation());
  }

  @Test
  void aFailedZipIsNotThereAndAnOldOneStays() throws IOException {
    Path zip = folder.resolve("set.zip");
    Files.writeString(zip, "old");

    Shapes source = new Shapes(200, 100, 200);
    assertThatThrownBy(() -> run(conversion(source, zip)))
        .isInstanceOf(FileException.class)
        .hasMessage("shape100: is damaged");

    assertThat(zip).hasContent("old");
    assertThat(folder).isDirectoryContaining(zip::equals);
    assertThat(folder.toFile().list()).hasSize(1);
    assertThat(source.reading).hasValue(0);
  }

  @Test
  void aFailedFolderSaysWhatItLeaves() {
    Path set = folder.resolve("set");

    assertThatThrownBy(() -> run(conversion(new Shapes(200, 100, 200), set)))
        .isInstanceOf(RdmException.class)
        .hasMessage("shape100: is damaged; 100 files are left in %s, which is not complete", set);

    Path last = set.resolve("00000/img00000099.png");
    assertThat(PictureReader.read(last)).isEqualTo(new SyntheticShapes(200, 8, 0).read(99));
    assertThat(set.resolve("dataset.json")).doesNotExist();
  }

  @Test
  void aFolderWithFilesInItIsLeftAlone() throws IOException {
    Files.writeString(folder.resolve("mine.txt"), "x");

    assertThatThrownBy(() -> run(conversion(new Shapes(2, -1, 2), folder)))
        .isInstanceOf(FileException.class)
        .hasMessage(folder + ": has files in it: expected a new or an empty folder");
    assertThat(folder.toFile().list()).containsExactly("mine.txt");
  }

  @Test
  void aFolderEndsAfterAThousandPictures() throws IOException {
    Path set = folder.resolve("set");
    run(conversion(new Shapes(1001, -1, 1001), set));

    assertThat(set.resolve("00000/img00000999.png")).exists();
    assertThat(set.resolve("00001/img00001000.png")).exists();
    assertThat(Files.readString(set.resolve("dataset.json")))
        .startsWith("{\"labels\":[[\"00000/img00000000.png\",0],[\"00000/img00000001.png\",1]")
        .endsWith("[\"00001/img00001000.png\",0]]}");
  }

  @Test
  void labelsAreAllOrNone() throws IOException {
    Path set = folder.resolve("set");
    ConvertedDataset done = run(conversion(new Shapes(9, -1, 8), set));

    assertThat(done.labelled()).isEqualTo(8);
    assertThat(done.classes()).isZero();
    assertThat(set.resolve("dataset.json")).hasContent("{\"labels\":null}");
  }

  @Test
  void itCanBeEndedEarly() {
    Cancellation cancellation = new Cancellation();
    Path zip = folder.resolve("set.zip");

    assertThatThrownBy(() ->
            conversion(new Shapes(500, -1, 500), zip)
                .run(
                    (done, _) -> {
                      if (done == 5) {
                        cancellation.cancel();
                      }
                    },
                    cancellation))
        .isInstanceOf(CancelledException.class);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void everyPictureIsReportedInOrder() {
    AtomicInteger last = new AtomicInteger();
    DatasetConversion limited =
        new DatasetConversion(
            new Shapes(90, -1, 90), Optional::of, folder.resolve("set.zip"), OptionalInt.of(40), 2);

    limited.run(
        (done, total) -> {
          assertThat(done).isEqualTo(last.incrementAndGet());
          assertThat(total).isEqualTo(40);
        },
        new Cancellation());

    assertThat(last).hasValue(40);
    assertThat(limited.count()).isEqualTo(40);
  }

  @Test
  void picturesThatAreAllTooSmallAreAnError() {
    DatasetConversion conversion =
        new DatasetConversion(
            new Shapes(3, -1, 3),
            new CropAndScale(Crop.CENTER_CROP_WIDE, new Resolution(16, 8)),
            folder.resolve("set.zip"),
            OptionalInt.empty(),
            1);

    assertThatThrownBy(() -> run(conversion))
        .hasMessage("none of the 3 pictures is large enough for the crop: nothing to write");
  }

  @Test
  void numbersThatCannotBeMeantAreRefused() {
    Shapes source = new Shapes(3, -1, 3);
    assertThatThrownBy(
            () -> new DatasetConversion(source, Optional::of, folder, OptionalInt.of(0), 1))
        .isInstanceOf(OptionException.class)
        .hasMessage("--max-images must be at least 1, but is 0");
    assertThatThrownBy(
            () -> new DatasetConversion(source, Optional::of, folder, OptionalInt.empty(), 0))
        .isInstanceOf(OptionException.class)
        .hasMessage("--workers must be at least 1, but is 0");
    assertThatThrownBy(() -> new CropAndScale(Crop.CENTER_CROP_WIDE, new Resolution(8, 16)))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("at least as wide as high, not 8x16");
    assertThatThrownBy(() -> new Resolution(0, 5)).isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> Crop.parse("centre")).isInstanceOf(OptionException.class);
  }
}
