#pragma once

#include <utility>

namespace base {

template <class Signature> class Delegate;

/// A bound method: an object and one of its member functions, two words, never owning, never
/// allocating. The object must outlive the delegate. Used for callbacks out of the event loop.
///
///     Delegate<void()>::of<&Leg::on_timeout>(this)
template <class Result, class... Arguments> class Delegate<Result(Arguments...)> {
public:
    Delegate() noexcept = default;

    template <auto Method, class Object> static Delegate of(Object* object) noexcept
    {
        Delegate d;
        d.object_ = object;
        d.call_ = [](void* o, Arguments... arguments) -> Result {
            return (static_cast<Object*>(o)->*Method)(std::forward<Arguments>(arguments)...);
        };
        return d;
    }

    explicit operator bool() const noexcept { return call_ != nullptr; }
    Result operator()(Arguments... arguments) const { return call_(object_, std::forward<Arguments>(arguments)...); }

private:
    void* object_ = nullptr;
    Result (*call_)(void*, Arguments...) = nullptr;
};

} // namespace base
