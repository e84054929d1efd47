#include "spnego/token.h"

#include <libtasn1.h>

#include <algorithm>
#include <array>
#include <cassert>

#include "spnego_module.inc" // asn1Parser makes it of spnego.asn

namespace spnego {
namespace {

using Text = const char*;

/// One value of the module.
class Value {
public:
    explicit Value(Text type)
    {
        [[maybe_unused]] const int result = asn1_create_element(module(), type, &node_);
        assert(result == ASN1_SUCCESS);
    }
    Value(const Value&) = delete;
    Value& operator=(const Value&) = delete;
    ~Value() { asn1_delete_structure(&node_); }

    /// Nothing may follow it.
    bool decode(base::Bytes der)
    {
        int size = static_cast<int>(der.size());
        return asn1_der_decoding2(&node_, der.data(), &size, ASN1_DECODE_FLAG_STRICT_DER, nullptr) == ASN1_SUCCESS;
    }
    Token encode()
    {
        int size = 0;
        asn1_der_coding(node_, "", nullptr, &size, nullptr);
        Token der(static_cast<std::size_t>(size));
        [[maybe_unused]] const int result = asn1_der_coding(node_, "", der.data(), &size, nullptr);
        assert(result == ASN1_SUCCESS);
        der.resize(static_cast<std::size_t>(size));
        return der;
    }

    /// Empty when it is not there.
    Token bytes(Text name) const
    {
        int size = 0;
        asn1_read_value(node_, name, nullptr, &size);
        Token value(static_cast<std::size_t>(size));
        if (size == 0 || asn1_read_value(node_, name, value.data(), &size) != ASN1_SUCCESS)
            return {};
        value.resize(static_cast<std::size_t>(size));
        return value;
    }
    /// An OBJECT IDENTIFIER, or the name of a CHOICE; empty when it is not there.
    std::string text(Text name) const
    {
        Token value = bytes(name);
        while (!value.empty() && value.back() == 0)
            value.pop_back();
        return {value.begin(), value.end()};
    }
    void set(Text name, const void* bytes, std::size_t size)
    {
        [[maybe_unused]] const int result = asn1_write_value(node_, name, bytes, static_cast<int>(size));
        assert(result == ASN1_SUCCESS);
    }
    void set(Text name, std::string_view text) { set(name, std::string(text).c_str(), 1); }
    /// Empty: the optional value is not there.
    void set(Text name, const Token& bytes) { set(name, bytes.empty() ? nullptr : bytes.data(), bytes.size()); }
    void omit(Text name) { set(name, nullptr, 0); }

private:
    static asn1_node module()
    {
        static const asn1_node tree = [] {
            asn1_node made = nullptr;
            [[maybe_unused]] const int result = asn1_array2tree(spnego_module, &made, nullptr);
            assert(result == ASN1_SUCCESS);
            return made;
        }();
        return tree;
    }

    asn1_node node_ = nullptr;
};

constexpr Text init_type = "SPNEGO.InitialContextToken";
constexpr Text token_type = "SPNEGO.NegotiationToken";
constexpr Text types = "innerContextToken.negTokenInit.mechTypes";

constexpr std::uint8_t octet_string = 0x04, object_identifier = 0x06, sequence = 0x30, application_0 = 0x60;
constexpr std::uint8_t context_0 = 0xa0, context_1 = 0xa1;
constexpr std::size_t max_mech_list = 1024; // bytes; libtasn1 takes its time with thousands of mechanisms

/// What is inside of the element at the begin of `der`; empty when its tag is not `tag` or it goes beyond `der`.
base::Bytes inside(std::uint8_t tag, base::Bytes der) noexcept
{
    if (der.size() < 2 || der[0] != tag)
        return {};
    int size_of_length = 0;
    const long length = asn1_get_length_der(der.data() + 1, static_cast<int>(der.size() - 1), &size_of_length);
    if (length < 0)
        return {};
    return der.subspan(1 + static_cast<std::size_t>(size_of_length), static_cast<std::size_t>(length));
}

/// MechTypeList as it stands in an InitialContextToken of SPNEGO.
base::Bytes mech_list_in(base::Bytes token) noexcept
{
    const base::Bytes content = inside(application_0, token);
    const std::size_t mechanism_size = 2 + inside(object_identifier, content).size();
    if (content.size() < mechanism_size)
        return {};
    return inside(context_0, inside(sequence, inside(context_0, content.subspan(mechanism_size))));
}

} // namespace

bool is_kerberos(std::string_view mechanism) noexcept
{
    return mechanism == oid::kerberos || mechanism == oid::ms_kerberos;
}

Form form_of(base::Bytes token) noexcept
{
    if (token.size() > max_token || token.empty())
        return Form::other;
    if (token[0] == context_1)
        return Form::response;
    const base::Bytes content = inside(application_0, token);
    if (content.size() < 2 || content[0] != object_identifier)
        return Form::other;
    std::array<char, 64> name{};
    int used = 0;
    if (asn1_get_object_id_der(content.data() + 1, static_cast<int>(content.size() - 1), &used, name.data(), name.size()) !=
        ASN1_SUCCESS)
        return Form::other;
    return name.data() == oid::spnego ? Form::init : is_kerberos(name.data()) ? Form::kerberos
                                                                              : Form::other;
}

std::optional<NegTokenInit> NegTokenInit::parse(base::Bytes token)
{
    const base::Bytes list = mech_list_in(token);
    if (form_of(token) != Form::init || list.empty() || list.size() > max_mech_list)
        return std::nullopt;
    Value value(init_type);
    if (!value.decode(token) || value.text("innerContextToken") != "negTokenInit")
        return std::nullopt;
    NegTokenInit init;
    init.mech_list.assign(list.begin(), list.end());
    for (std::size_t i = 1;; ++i) {
        std::string mechanism = value.text((types + (".?" + std::to_string(i))).c_str());
        if (mechanism.empty())
            break;
        if (i > max_mechanisms)
            return std::nullopt;
        init.mechanisms.push_back(std::move(mechanism));
    }
    if (init.mechanisms.empty())
        return std::nullopt;
    init.mech_token = value.bytes("innerContextToken.negTokenInit.mechToken");
    const Token mic_or_hints = value.bytes("innerContextToken.negTokenInit.micOrHints");
    const base::Bytes mic = inside(octet_string, mic_or_hints);
    init.mic.assign(mic.begin(), mic.end());
    return init;
}

Token NegTokenInit::build() const
{
    Value value(init_type);
    value.set("thisMech", oid::spnego);
    value.set("innerContextToken", "negTokenInit");
    for (const std::string& mechanism : mechanisms) {
        value.set(types, "NEW");
        value.set("innerContextToken.negTokenInit.mechTypes.?LAST", mechanism);
    }
    value.omit("innerContextToken.negTokenInit.reqFlags");
    value.set("innerContextToken.negTokenInit.mechToken", mech_token);
    value.omit("innerContextToken.negTokenInit.micOrHints");
    value.omit("innerContextToken.negTokenInit.mechListMICHint");
    return value.encode();
}

std::optional<NegTokenResp> NegTokenResp::parse(base::Bytes token)
{
    Value value(token_type);
    if (form_of(token) != Form::response || !value.decode(token))
        return std::nullopt;
    NegTokenResp response;
    const Token state = value.bytes("negTokenResp.negState");
    if (!state.empty()) {
        if (state.size() != 1 || state[0] > static_cast<std::uint8_t>(NegState::request_mic))
            return std::nullopt;
        response.state = static_cast<NegState>(state[0]);
    }
    response.mechanism = value.text("negTokenResp.supportedMech");
    response.response = value.bytes("negTokenResp.responseToken");
    response.mic = value.bytes("negTokenResp.mechListMIC");
    return response;
}

Token NegTokenResp::build() const
{
    Value value(token_type);
    value.set("", "negTokenResp");
    if (state)
        value.set("negTokenResp.negState", Token{static_cast<std::uint8_t>(*state)});
    else
        value.omit("negTokenResp.negState");
    if (mechanism.empty())
        value.omit("negTokenResp.supportedMech");
    else
        value.set("negTokenResp.supportedMech", mechanism);
    value.set("negTokenResp.responseToken", response);
    value.set("negTokenResp.mechListMIC", mic);
    return value.encode();
}

Token mech_list_of(base::Bytes init)
{
    const auto parsed = NegTokenInit::parse(init);
    return parsed ? parsed->mech_list : Token();
}

} // namespace spnego
