#pragma once

#include "access/authenticator.h"
#include "access/password.h"
#include "access/password_check.h"

inline auth::PasswordCheck& password_check(const auth::Outcome& outcome)
{
    return dynamic_cast<auth::PasswordCheck&>(*outcome.check);
}

/// The password check that an outcome asks for, made here instead of on its lane, and what the authenticator then says.
inline auth::Outcome hashed(auth::Authenticator& authenticator, const auth::Outcome& outcome)
{
    auth::PasswordCheck& check = password_check(outcome);
    check.found.right = auth::verify_password(check.password.view(), check.against);
    return authenticator.checked();
}
