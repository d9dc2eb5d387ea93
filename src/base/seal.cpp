#include "base/seal.h"

#include <cerrno>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/crypto.h"
#include "base/crypto_openssl.h"

namespace weir {
namespace {

constexpr char kVersion = 1;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;
constexpr size_t kPrefixBytes = 1 + kMasterKeyIdBytes;  // version and key id: authenticated
constexpr size_t kHeadBytes = kPrefixBytes + kNonceBytes;
static_assert(kSealOverheadBytes == kHeadBytes + kTagBytes);

std::unexpected<Error> fail_internal(std::string detail) {
  Error error = make_error(ErrorKind::internal, "internal error");
  error.detail = std::move(detail);
  return std::unexpected(std::move(error));
}

std::unexpected<Error> fail_file(const std::string& path, std::string_view problem) {
  return fail_internal(fmt::format("master key file {}: {}", path, problem));
}

std::unexpected<Error> fail_errno(const std::string& path, std::string_view doing) {
  return fail_file(path, fmt::format("cannot {}: {}", doing, std::strerror(errno)));
}

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  WEIR_ASSERT(algorithm != nullptr, "OpenSSL has AES-256-GCM");
  return algorithm;
}

EVP_CIPHER_CTX* cipher_context() {
  thread_local const EvpCipherCtxPtr context(EVP_CIPHER_CTX_new());
  WEIR_ASSERT(context != nullptr, "memory for a cipher context");
  return context.get();
}

// The key schedule must not outlive the call in the thread's context.
struct ResetContext {
  EVP_CIPHER_CTX* context;
  ~ResetContext() { EVP_CIPHER_CTX_reset(context); }
};

int checked_size(std::string_view text) {
  WEIR_ASSERT(text.size() <= INT32_MAX, "sealed texts are below 2 GiB");
  return static_cast<int>(text.size());
}

// Writes all bytes to a new file that only its owner may read, and waits until they are on disk.
Result<void> write_durably(const std::string& path, std::string_view bytes) {
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) return fail_errno(path, "create it");
  // A umask may only have narrowed the mode; this makes it exactly 0600.
  if (::fchmod(file.get(), 0600) != 0) return fail_errno(path, "set its mode");
  if (::write(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    return fail_errno(path, "write it");
  }
  if (::fsync(file.get()) != 0) return fail_errno(path, "flush it");
  return {};
}

// A new name in a directory is durable only when the directory is.
Result<void> flush_directory_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.is_open() || ::fsync(descriptor.get()) != 0) return fail_errno(path, "flush its directory");
  return {};
}

}  // namespace

std::string SealingKey::seal(std::string_view plaintext, std::string_view associated_data) const {
  std::string sealed(kSealOverheadBytes + plaintext.size(), '\0');
  sealed[0] = kVersion;
  std::copy(key_id_.begin(), key_id_.end(), sealed.begin() + 1);
  unsigned char* const bytes = as_bytes(sealed);
  random_bytes(std::span<uint8_t>(bytes + kPrefixBytes, kNonceBytes));

  EVP_CIPHER_CTX* const context = cipher_context();
  const ResetContext reset{context};
  int written = 0;
  bool is_done = EVP_EncryptInit_ex2(context, aes_256_gcm(), as_bytes(key_.reveal()), bytes + kPrefixBytes,
                                     nullptr) == 1 &&
                 EVP_EncryptUpdate(context, nullptr, &written, bytes, kPrefixBytes) == 1 &&
                 EVP_EncryptUpdate(context, nullptr, &written, as_bytes(associated_data),
                                   checked_size(associated_data)) == 1 &&
                 EVP_EncryptUpdate(context, bytes + kHeadBytes, &written, as_bytes(plaintext),
                                   checked_size(plaintext)) == 1;
  unsigned char* const tag = bytes + kHeadBytes + plaintext.size();
  is_done = is_done && EVP_EncryptFinal_ex(context, tag, &written) == 1 &&
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1;
  WEIR_ASSERT(is_done, "AES-256-GCM seals");
  return sealed;
}

Result<std::string> SealingKey::open(std::string_view sealed, std::string_view associated_data) const {
  if (sealed.size() < kSealOverheadBytes) return fail_internal("sealed value: too short");
  if (sealed.size() > INT32_MAX) return fail_internal("sealed value: too long");
  if (sealed[0] != kVersion) return fail_internal("sealed value: unknown version");
  if (sealed.substr(1, kMasterKeyIdBytes) != key_id_) {
    return fail_internal("sealed value: made with another master key");
  }
  const std::string_view ciphertext = sealed.substr(kHeadBytes, sealed.size() - kSealOverheadBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string plaintext(ciphertext.size(), '\0');

  EVP_CIPHER_CTX* const context = cipher_context();
  const ResetContext reset{context};
  int written = 0;
  unsigned char unused_final_block[kTagBytes];
  const bool is_authentic =
      EVP_DecryptInit_ex2(context, aes_256_gcm(), as_bytes(key_.reveal()), as_bytes(sealed) + kPrefixBytes,
                          nullptr) == 1 &&
      EVP_DecryptUpdate(context, nullptr, &written, as_bytes(sealed), kPrefixBytes) == 1 &&
      EVP_DecryptUpdate(context, nullptr, &written, as_bytes(associated_data),
                        checked_size(associated_data)) == 1 &&
      EVP_DecryptUpdate(context, as_bytes(plaintext), &written, as_bytes(ciphertext),
                        checked_size(ciphertext)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context, unused_final_block, &written) == 1;
  if (!is_authentic) {
    OPENSSL_cleanse(plaintext.data(), plaintext.size());
    ERR_clear_error();
    return fail_internal("sealed value: does not verify (altered, or of another context or associated data)");
  }
  return plaintext;
}

MasterKey::MasterKey(Secret key) : key_(std::move(key)) {
  const Sha256Digest name = hmac_sha256(key_.reveal(), "weir master key id");
  id_ = std::string(as_text(name).substr(0, kMasterKeyIdBytes));
}

MasterKey MasterKey::generate() {
  return MasterKey(Secret(random_bytes(kMasterKeyBytes)));
}

Result<MasterKey> MasterKey::from_bytes(std::string_view bytes) {
  if (bytes.size() != kMasterKeyBytes) {
    return fail_internal(
        fmt::format("a master key has {} bytes, this one {}", kMasterKeyBytes, bytes.size()));
  }
  return MasterKey(Secret::copy_of(bytes));
}

Result<MasterKey> MasterKey::load(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) return fail_errno(path, "open it");
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return fail_errno(path, "look at it");
  if (!S_ISREG(status.st_mode)) return fail_file(path, "is not a regular file");
  if ((status.st_mode & 077) != 0) {
    return fail_file(
        path, fmt::format("mode {:04o} lets others at it; run: chmod 600 {}", status.st_mode & 07777, path));
  }
  if (static_cast<size_t>(status.st_size) != kMasterKeyBytes) {
    return fail_file(path, fmt::format("has {} bytes, not {}: it is not a master key, or it was cut",
                                       status.st_size, kMasterKeyBytes));
  }
  std::string bytes(kMasterKeyBytes, '\0');
  if (::read(file.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
    return fail_errno(path, "read it");
  }
  return MasterKey(Secret(std::move(bytes)));
}

Result<MasterKey> MasterKey::load_or_create(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return load(path);
  // Written whole under another name and then linked: nobody can meet half a key, and of two processes the
  // second finds the name taken and loads what the first has made.
  const MasterKey fresh = generate();
  const std::string draft = fmt::format("{}.{:016x}", path, random_seed());
  const Result<void> written = write_durably(draft, fresh.key_.reveal());
  const bool is_linked = written && ::link(draft.c_str(), path.c_str()) == 0;
  const int link_error = errno;
  ::unlink(draft.c_str());
  if (!written) return std::unexpected(written.error());
  if (!is_linked && link_error != EEXIST) {
    errno = link_error;
    return fail_errno(path, "create it");
  }
  TRY(flush_directory_of(path));
  return load(path);
}

Secret MasterKey::derive_secret(std::string_view context) const {
  return hkdf_sha256(key_.reveal(), "weir key v1", context, 32);
}

SealingKey MasterKey::derive(std::string_view context) const {
  return SealingKey(hkdf_sha256(key_.reveal(), "weir seal v1", context, 32), id_);
}

}  // namespace weir
