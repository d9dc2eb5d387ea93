#include "base/seal.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>

#include "base/crypto.h"
#include "base/encoding.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(fs::temp_directory_path() / ("weir-seal-" + hex_encode(random_bytes(8)))) {
    fs::create_directory(path_);
  }
  ~TemporaryFolder() { fs::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string file(std::string_view name) const { return (path_ / name).string(); }
  size_t file_count() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(path_), fs::directory_iterator()));
  }

 private:
  fs::path path_;
};

void write_file(const std::string& path, std::string_view bytes, mode_t mode) {
  std::ofstream(path, std::ios::binary) << bytes;
  ASSERT_EQ(::chmod(path.c_str(), mode), 0);
}

// The bytes 0, 1, ... 31.
MasterKey counting_key() {
  std::string bytes;
  for (char c = 0; c < 32; ++c) bytes.push_back(c);
  return MasterKey::from_bytes(bytes).value();
}

TEST(MasterKey, DerivesSecretsThatStayTheSame) {
  // Computed from the declaration with another implementation of HKDF.
  EXPECT_EQ(hex_encode(counting_key().derive_secret("end users").reveal()),
            "55b95a75e1d674fea8628d1d2d4669db18569354a29fe1d18669ca76c1624b39");
  EXPECT_NE(counting_key().derive_secret("end user"), counting_key().derive_secret("end users"));
}

TEST(SealingKey, OpensWhatItSealed) {
  const SealingKey key = MasterKey::generate().derive("tenant/acme/prompts");
  for (const size_t size : {0UZ, 1UZ, 15UZ, 16UZ, 17UZ, 100'000UZ}) {
    const std::string text(size, 'w');
    const std::string sealed = key.seal(text, "row-1");
    EXPECT_EQ(sealed.size(), size + kSealOverheadBytes);
    EXPECT_EQ(key.open(sealed, "row-1").value(), text);
  }
}

TEST(SealingKey, OpensAValueMadeByAnotherImplementation) {
  // Made from the format's description with Python's cryptography package.
  const std::string sealed = hex_decode(
                                 "018862748fd694a4b26465666768696a6b6c6d6e6f00821ffdd93b95118dc6f136665f44b4"
                                 "fd65ef891eceb3c237e33fccf4138450")
                                 .value();
  EXPECT_EQ(counting_key().derive("tenant/acme/prompts").open(sealed, "row-42").value(), "the river is low");
}

TEST(SealingKey, RefusesAValueWithAnyBitChanged) {
  const SealingKey key = counting_key().derive("context");
  const std::string sealed = key.seal("text", "data");
  for (size_t byte = 0; byte < sealed.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string altered = sealed;
      altered[byte] = static_cast<char>(altered[byte] ^ (1 << bit));
      EXPECT_FALSE(key.open(altered, "data").has_value()) << "byte " << byte << " bit " << bit;
    }
  }
}

TEST(SealingKey, RefusesAnotherContextOrAssociatedDataAndEveryCut) {
  const MasterKey master = counting_key();
  const SealingKey key = master.derive("tenant/acme");
  const std::string sealed = key.seal("text", "row-1");
  EXPECT_FALSE(master.derive("tenant/acm3").open(sealed, "row-1").has_value());
  EXPECT_FALSE(key.open(sealed, "row-2").has_value());
  EXPECT_FALSE(key.open(sealed, "").has_value());
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(key.open(std::string_view(sealed).substr(0, size), "row-1").has_value()) << size;
  }
}

TEST(SealingKey, TellsAnotherMasterKeyFromATamperedValue) {
  const std::string sealed = counting_key().derive("c").seal("text", "");
  const Result<std::string> opened = MasterKey::generate().derive("c").open(sealed, "");
  EXPECT_NE(opened.error().detail.find("another master key"), std::string::npos);
}

TEST(SealingKey, NeverGivesTheSameBytesTwice) {
  const SealingKey key = counting_key().derive("c");
  EXPECT_NE(key.seal("text", ""), key.seal("text", ""));
}

TEST(SealingKey, ServesManyThreads) {
  const SealingKey key = counting_key().derive("c");
  std::atomic<int> opened = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&key, &opened, i] {
        for (int round = 0; round < 50; ++round) {
          const std::string text = fmt::format("{} {}", i, round);
          opened += key.open(key.seal(text, "d"), "d").value() == text ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(opened, 200);
}

TEST(MasterKeyFile, IsMadeOnceWithModeSixHundredAndLoadedAfterwards) {
  const TemporaryFolder folder;
  const std::string path = folder.file("master.key");
  const MasterKey made = MasterKey::load_or_create(path).value();
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(status.st_size, 32);
  EXPECT_EQ(folder.file_count(), 1U) << "no draft stays behind";
  const MasterKey loaded = MasterKey::load_or_create(path).value();
  EXPECT_EQ(loaded.id(), made.id());
  EXPECT_EQ(loaded.derive("c").open(made.derive("c").seal("text", ""), "").value(), "text");
}

TEST(MasterKeyFile, IsTheSameForAllWhoStartAtOnce) {
  const TemporaryFolder folder;
  const std::string path = folder.file("master.key");
  std::array<std::string, 8> ids;
  {
    std::vector<std::jthread> threads;
    for (std::string& id : ids) {
      threads.emplace_back([&id, &path] { id = MasterKey::load_or_create(path).value().id(); });
    }
  }
  for (const std::string& id : ids) EXPECT_EQ(id, ids[0]);
  EXPECT_EQ(folder.file_count(), 1U);
}

TEST(MasterKeyFile, IsRefusedWhenOthersMayReadIt) {
  const TemporaryFolder folder;
  const std::string path = folder.file("master.key");
  for (const mode_t mode : {0640U, 0604U, 0620U, 0601U}) {
    write_file(path, std::string(32, 'k'), mode);
    const Result<MasterKey> key = MasterKey::load_or_create(path);
    ASSERT_FALSE(key.has_value()) << mode;
    EXPECT_NE(key.error().detail.find("chmod 600 " + path), std::string::npos) << key.error().detail;
    EXPECT_EQ(key.error().message.find(path), std::string::npos) << "a path is not for clients";
  }
  write_file(path, std::string(32, 'k'), 0400);
  EXPECT_TRUE(MasterKey::load(path).has_value());
}

TEST(MasterKeyFile, IsRefusedWhenItsSizeIsWrong) {
  const TemporaryFolder folder;
  const std::string path = folder.file("master.key");
  for (const size_t size : {0UZ, 31UZ, 33UZ, 64UZ}) {
    write_file(path, std::string(size, 'k'), 0600);
    const Result<MasterKey> key = MasterKey::load_or_create(path);
    ASSERT_FALSE(key.has_value()) << size;
    EXPECT_NE(key.error().detail.find(fmt::format("has {} bytes, not 32", size)), std::string::npos);
  }
  EXPECT_FALSE(MasterKey::from_bytes("short").has_value());
}

TEST(MasterKeyFile, MustBeAFileInAFolderThatExists) {
  const TemporaryFolder folder;
  EXPECT_FALSE(MasterKey::load(folder.file("absent")).has_value());
  EXPECT_FALSE(MasterKey::load_or_create(folder.file("no/such/folder/key")).has_value());
  fs::create_directory(folder.file("directory"));
  EXPECT_FALSE(MasterKey::load_or_create(folder.file("directory")).has_value());
}

}  // namespace
}  // namespace weir
