// For tests of TLS: a certificate with its key, in files that go when the test ends.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string>
#include <unistd.h>

#include "io/tls.h"

namespace weir {

// A certificate for "weir.test" and 127.0.0.1 that signs itself, in files of its own.
class TestCertificate {
 public:
  explicit TestCertificate(const std::string& name) : certificate_(name + ".crt"), key_(name + ".key") {
    make();
  }
  ~TestCertificate() {
    unlink(certificate_.c_str());
    unlink(key_.c_str());
  }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  TlsServerContext::Files files() const { return {certificate_, key_}; }

  // Makes a new key and certificate in the same files.
  void make() {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME* const subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("weir"),
                               -1, -1, 0);
    X509_set_issuer_name(certificate, subject);
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:weir.test,IP:127.0.0.1");
    X509_add_ext(certificate, names, -1);
    X509_sign(certificate, key, EVP_sha256());
    write(certificate_, [certificate](BIO* out) { PEM_write_bio_X509(out, certificate); });
    write(key_,
          [key](BIO* out) { PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_EXTENSION_free(names);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }

 private:
  template <class Print>
  static void write(const std::string& file, Print print) {
    BIO* const out = BIO_new_file(file.c_str(), "w");
    print(out);
    BIO_free(out);
  }

  std::string certificate_;
  std::string key_;
  long serial_ = 0;
};

inline std::string temporary_name(const char* name) {
  return fmt::format("{}/weir_tls_test_{}_{}", testing::TempDir(), getpid(), name);
}

}  // namespace weir
